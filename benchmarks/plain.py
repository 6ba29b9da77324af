"""What one would write without this toolkit: two networks by hand, and a plain loop over a DataLoader."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from nas.training.data import Data


class Basic(nn.Module):
    """Two 3x3 convolutions and a shortcut without parameters (He et al. 2015, option A)."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.stride, self.more = stride, after - before

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        if self.more:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return F.relu(y + x)


class ResNet20(nn.Module):
    """He et al. 2015, section 4.2."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        widths = [16] * 4 + [32] * 3 + [64] * 3
        blocks = [Basic(a, b, 1 + (a != b)) for a, b in pairwise(widths)]
        self.body, self.head = nn.Sequential(*blocks), nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.body(self.stem(x)).mean((2, 3)))
        return out


class Dense(nn.Module):
    """Norm, ReLU, 1x1 to 48, norm, ReLU, 3x3 to 12, concatenated with the input (Huang et al. 2017, section 3)."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(before), nn.Conv2d(before, 48, 1, bias=False)
        self.norm2, self.conv2 = nn.BatchNorm2d(48), nn.Conv2d(48, 12, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.conv2(F.relu(self.norm2(self.conv1(F.relu(self.norm1(x))))))], 1)


class DenseNet22(nn.Module):
    """DenseNet-BC of 22 layers and growth 12: three blocks of three."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, 24, 3, padding=1, bias=False)]
        width = 24
        for block in range(3):
            if block:
                half = width // 2
                layers += [nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, half, 1, bias=False), nn.AvgPool2d(2)]
                width = half
            layers += [Dense(width + 12 * place) for place in range(3)]
            width += 36
        self.body = nn.Sequential(*layers, nn.BatchNorm2d(width), nn.ReLU())
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.head(self.body(x).mean((2, 3)))
        return out


class ImageDataset(Dataset[tuple[Tensor, int]]):
    """Cropped and mirrored one by one with Pillow, as the usual transforms do."""

    def __init__(self, data: Data, seed: int) -> None:
        split = data.train
        self.images = [Image.fromarray(pixels) for pixels in split.images.transpose(0, 2, 3, 1)]
        self.labels = split.labels.tolist()
        self.mean, self.std = (torch.tensor(values).view(-1, 1, 1) for values in (data.mean, data.std))
        self.random = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image, (left, top, mirrored) = self.images[index], self.random.integers((9, 9, 2)).tolist()
        canvas = Image.new("RGB", (image.width + 8, image.height + 8))
        canvas.paste(image, (4, 4))
        canvas = canvas.crop((left, top, left + image.width, top + image.height))
        if mirrored:
            canvas = canvas.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        pixels = torch.from_numpy(np.array(canvas)).permute(2, 0, 1).contiguous()
        return (pixels.float() / 255 - self.mean) / self.std, self.labels[index]


def plain_epoch(network: nn.Module, data: Data, batch: int, seed: int = 0) -> Iterator[float]:
    """Train in eager float32 with a DataLoader in the same process; yield the loss of each step."""
    optimizer = torch.optim.SGD(network.parameters(), 0.1, 0.9, weight_decay=5e-4, nesterov=True)
    network.train()
    for images, labels in DataLoader(ImageDataset(data, seed), batch, shuffle=True):
        loss = F.cross_entropy(network(images), labels, label_smoothing=0.1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimizer.step()
        yield loss.item()
