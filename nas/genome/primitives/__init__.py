"""The documented building blocks, one file per family. Importing this package registers every op."""

from nas.genome.layers import (
    AdaptivePool,
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dropout,
    Flatten,
    GlobalPool,
    Linear,
    LocalResponseNorm,
    MaxPool,
    Relu,
    ScaledTanh,
    Tanh,
)
from nas.genome.paper_layers import ChannelPad, ChannelScale, CodeDistance, PositionBias, TableConv
from nas.genome.primitives.board import BoardHead, BoardTrunk
from nas.genome.primitives.cells import Cell, Narrow, Zero
from nas.genome.primitives.conv_pool import ConvPool
from nas.genome.primitives.dense import DenseBlock, DenseLayer, Transition
from nas.genome.primitives.factorization import AsymmetricConv, FactorizedConv, GridReduction
from nas.genome.primitives.heads import AuxiliaryHead, ConvHead, FcHead, GapHead, NormAuxiliaryHead
from nas.genome.primitives.inception import FactorizedInception, Inception, InceptionNaive, InceptionReduction
from nas.genome.primitives.inception_v3 import InceptionA, InceptionB, InceptionC, InceptionD, InceptionE
from nas.genome.primitives.residual import BasicBlock, Bottleneck
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
    "ChannelPad",
    "ChannelScale",
    "CodeDistance",
    "Concat",
    "Conv",
    "ConvHead",
    "ConvPool",
    "ConvStack",
    "ConvUnit",
    "DenseBlock",
    "DenseLayer",
    "Dropout",
    "FactorizedConv",
    "FactorizedInception",
    "FcHead",
    "Flatten",
    "GapHead",
    "GlobalPool",
    "GridReduction",
    "ImageNetStem",
    "Inception",
    "InceptionA",
    "InceptionB",
    "InceptionC",
    "InceptionD",
    "InceptionE",
    "InceptionNaive",
    "InceptionReduction",
    "Linear",
    "LocalResponseNorm",
    "MaxPool",
    "MlpConv",
    "Narrow",
    "NormAuxiliaryHead",
    "PositionBias",
    "Relu",
    "ScaledTanh",
    "Stem",
    "TableConv",
    "Tanh",
    "Transition",
    "Zero",
]
