"""The public sets. Digests are SHA-256.

CIFAR (Krizhevsky 2009, cs.toronto.edu/~kriz/cifar.html): of the archives as TensorFlow Datasets lists them, of the
files as torchvision for Ruby does; those of CIFAR-10 were also computed from files with the SHA-1 that the common
loaders list. MNIST (LeCun et al. 1998): of the archives on torchvision's mirror. Fashion-MNIST (Xiao et al. 2017,
arXiv 1708.07747): of the files whose MD5 its README lists. Digests of the unpacked idx files were computed from these.
"""

from functools import partial

from nas.genome.task import Task
from nas.training.data.catalog.binary import parse_cifar, parse_mnist
from nas.training.data.catalog.public_set import DataFile, PublicSet

CIFAR10 = PublicSet(
    Task("cifar10", (3, 32, 32), 10),
    "https://www.cs.toronto.edu/~kriz/",
    (
        DataFile(
            "cifar-10-binary.tar.gz", 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
        ),
    ),
    (
        DataFile("data_batch_1.bin", 30_730_000, "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
        DataFile("data_batch_2.bin", 30_730_000, "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
        DataFile("data_batch_3.bin", 30_730_000, "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
        DataFile("data_batch_4.bin", 30_730_000, "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
        DataFile("data_batch_5.bin", 30_730_000, "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
    ),
    (DataFile("test_batch.bin", 30_730_000, "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),),
    ("cifar-10-batches-bin",),
    partial(parse_cifar, labels=(10,)),
    (50_000, 10_000),
    "airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck",
)

CIFAR100 = PublicSet(
    Task("cifar100", (3, 32, 32), 100),
    "https://www.cs.toronto.edu/~kriz/",
    (
        DataFile(
            "cifar-100-binary.tar.gz", 168_513_733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"
        ),
    ),
    (DataFile("train.bin", 153_700_000, "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29"),),
    (DataFile("test.bin", 30_740_000, "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a"),),
    ("cifar-100-binary",),
    partial(parse_cifar, labels=(20, 100)),
    (50_000, 10_000),
)

MNIST = PublicSet(
    Task("mnist", (1, 28, 28), 10),
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    (
        DataFile(
            "train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
        ),
        DataFile(
            "train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
        ),
        DataFile(
            "t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
        ),
        DataFile(
            "t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
        ),
    ),
    (
        DataFile(
            "train-images-idx3-ubyte", 47_040_016, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        DataFile("train-labels-idx1-ubyte", 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    ),
    (
        DataFile(
            "t10k-images-idx3-ubyte", 7_840_016, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        DataFile("t10k-labels-idx1-ubyte", 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ),
    ("MNIST/raw", "raw"),
    parse_mnist,
    (60_000, 10_000),
    "0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
)

FASHION = PublicSet(
    Task("fashion_mnist", (1, 28, 28), 10),
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    (
        DataFile(
            "train-images-idx3-ubyte.gz", 26_421_880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
        ),
        DataFile(
            "train-labels-idx1-ubyte.gz", 29_515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
        ),
        DataFile(
            "t10k-images-idx3-ubyte.gz", 4_422_102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
        ),
        DataFile(
            "t10k-labels-idx1-ubyte.gz", 5_148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
        ),
    ),
    (
        DataFile(
            "train-images-idx3-ubyte", 47_040_016, "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
        ),
        DataFile("train-labels-idx1-ubyte", 60_008, "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
    ),
    (
        DataFile(
            "t10k-images-idx3-ubyte", 7_840_016, "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
        ),
        DataFile("t10k-labels-idx1-ubyte", 10_008, "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    ),
    ("FashionMNIST/raw", "raw"),
    parse_mnist,
    (60_000, 10_000),
    "T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag, Ankle boot",
)

PUBLIC_SETS = {public_set.name: public_set for public_set in (CIFAR10, CIFAR100, MNIST, FASHION)}
