"""The documented building blocks, one file per family. Importing this package registers every op."""

from nas.genome.activations import (
    Gelu,
    HardSigmoid,
    HardSwish,
    Prelu,
    Relu,
    Relu6,
    ScaledTanh,
    Sigmoid,
    Silu,
    Tanh,
)
from nas.genome.channel_layers import ChannelShuffle, ChannelSplit, LayerScale, ZeroPad
from nas.genome.folding_layers import RepConv
from nas.genome.layers import (
    AdaptivePool,
    Add,
    AvgPool,
    Concat,
    Conv,
    Dropout,
    Flatten,
    GlobalPool,
    Linear,
    MaxPool,
    Mul,
)
from nas.genome.norms import BatchNorm, GroupNorm, LayerNorm, LocalResponseNorm
from nas.genome.paper_layers import ChannelPad, ChannelScale, CodeDistance, PositionBias, TableConv
from nas.genome.primitives.board import BoardHead, BoardTrunk
from nas.genome.primitives.cells import Cell, Narrow, Zero
from nas.genome.primitives.conv_pool import ConvPool
from nas.genome.primitives.convnext import ConvNeXtBlock, NormHead, PatchReduction, PatchStem
from nas.genome.primitives.dense import DenseBlock, DenseLayer, Transition
from nas.genome.primitives.factorization import AsymmetricConv, FactorizedConv, GridReduction
from nas.genome.primitives.fire import Fire
from nas.genome.primitives.gates import ChannelConv, EfficientChannelAttention, SqueezeExcite
from nas.genome.primitives.ghost import GhostBottleneck, GhostModule
from nas.genome.primitives.heads import AuxiliaryHead, ConvHead, FcHead, GapHead, NormAuxiliaryHead
from nas.genome.primitives.inception import FactorizedInception, Inception, InceptionNaive, InceptionReduction
from nas.genome.primitives.inception_v3 import InceptionA, InceptionB, InceptionC, InceptionD, InceptionE
from nas.genome.primitives.mobile import DepthwiseSeparable, FusedMBConv, InvertedResidual
from nas.genome.primitives.repvgg import RepVGGBlock
from nas.genome.primitives.residual import BasicBlock, Bottleneck
from nas.genome.primitives.shuffle import ShuffleUnit
from nas.genome.primitives.stacks import ConvStack, ConvUnit, MlpConv
from nas.genome.primitives.stems import ImageNetStem, Stem

__all__ = [
    "AdaptivePool",
    "Add",
    "AsymmetricConv",
    "AuxiliaryHead",
    "AvgPool",
    "BasicBlock",
    "BatchNorm",
    "BoardHead",
    "BoardTrunk",
    "Bottleneck",
    "Cell",
    "ChannelConv",
    "ChannelPad",
    "ChannelScale",
    "ChannelShuffle",
    "ChannelSplit",
    "CodeDistance",
    "Concat",
    "Conv",
    "ConvHead",
    "ConvNeXtBlock",
    "ConvPool",
    "ConvStack",
    "ConvUnit",
    "DenseBlock",
    "DenseLayer",
    "DepthwiseSeparable",
    "Dropout",
    "EfficientChannelAttention",
    "FactorizedConv",
    "FactorizedInception",
    "FcHead",
    "Fire",
    "Flatten",
    "FusedMBConv",
    "GapHead",
    "Gelu",
    "GhostBottleneck",
    "GhostModule",
    "GlobalPool",
    "GridReduction",
    "GroupNorm",
    "HardSigmoid",
    "HardSwish",
    "ImageNetStem",
    "Inception",
    "InceptionA",
    "InceptionB",
    "InceptionC",
    "InceptionD",
    "InceptionE",
    "InceptionNaive",
    "InceptionReduction",
    "InvertedResidual",
    "LayerNorm",
    "LayerScale",
    "Linear",
    "LocalResponseNorm",
    "MaxPool",
    "MlpConv",
    "Mul",
    "Narrow",
    "NormAuxiliaryHead",
    "NormHead",
    "PatchReduction",
    "PatchStem",
    "PositionBias",
    "Prelu",
    "Relu",
    "Relu6",
    "RepConv",
    "RepVGGBlock",
    "ScaledTanh",
    "ShuffleUnit",
    "Sigmoid",
    "Silu",
    "SqueezeExcite",
    "Stem",
    "TableConv",
    "Tanh",
    "Transition",
    "Zero",
    "ZeroPad",
]
