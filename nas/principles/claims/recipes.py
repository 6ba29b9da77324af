"""Claims about training: one network per setting, and a recipe per arm."""

from collections.abc import Mapping

from nas.principles.claims.filters import pairs
from nas.principles.claims.principle import Arm, Match, Principle, better
from nas.principles.claims.residual import plain_deep
from nas.search.trial import RecipeValue

SHIFTED_AND_MIRRORED = {"crop_padding": 4, "flip": True}
NEITHER = {"crop_padding": 0, "flip": False}
MOMENTUM: Mapping[str, RecipeValue] = {"optimizer": "sgd", "learning_rate": 0.1, "momentum": 0.9}
RMSPROP: Mapping[str, RecipeValue] = {
    "optimizer": "rmsprop", "learning_rate": 0.045, "rms_alpha": 0.9, "epsilon": 1.0,
}  # fmt: skip


def one_network(*arms: str) -> tuple[Match, Match]:
    """Return that all arms are one network."""
    return Match("macs", 0, arms), Match("params", 0, arms)


PRINCIPLES = (
    Principle(
        "h21", "Label smoothing of 0.1 is better than none.",
        "Szegedy et al. 2016, section 7", "difference",
        {"smoothed": Arm(pairs, {"label_smoothing": 0.1}), "not smoothed": Arm(pairs, {"label_smoothing": 0.0})},
        (better("smoothed", "not smoothed", 0.6),), one_network("smoothed", "not smoothed"),
        paper=0.2, paper_note="ImageNet top-1 and top-5, about 0.2 points",
        caveat="The paper has a thousand classes. The two training losses are not comparable.",
    ),
    Principle(
        "d07", "Random shifts and mirror images lower the error.",
        "Krizhevsky et al. 2012, section 4.1; Huang et al. 2017, table 2", "difference",
        {"augmented": Arm(pairs, SHIFTED_AND_MIRRORED), "not augmented": Arm(pairs, NEITHER)},
        (better("augmented", "not augmented", 4.2),), one_network("augmented", "not augmented"),
        paper=1.41, paper_note="CIFAR-10, DenseNet-BC of 100 layers: 4.51 and 5.92 %, the second with dropout",
        caveat="Mirror images suit photographs and clothes, not digits. A short schedule overfits less.",
    ),
    Principle(
        "d12", "Clipping gradients at a norm of 2 lowers the error of a deep plain network.",
        "Szegedy et al. 2016, section 8", "difference",
        {"clipped": Arm(plain_deep, {"grad_clip": 2.0}), "not clipped": Arm(plain_deep, {"grad_clip": 0.0})},
        (better("clipped", "not clipped", 3.0),), one_network("clipped", "not clipped"),
        caveat="The paper finds clipping useful to stabilize training, and gives no error; a loss that diverges counts "
               "as guessing.",
    ),
    Principle(
        "d13", "RMSProp is better than SGD with momentum.",
        "Szegedy et al. 2016, section 8, table 3", "difference",
        {"RMSProp": Arm(pairs, RMSPROP), "momentum": Arm(pairs, MOMENTUM)},
        (better("RMSProp", "momentum", 0.9),), one_network("RMSProp", "momentum"),
        paper=0.3, paper_note="ImageNet top-1, Inception-v2 (recalled): 23.1 and 23.4 %",
        caveat="Learning rates are those of the papers, not tuned. With the paper's epsilon of 1 RMSProp is close to "
               "plain descent.",
    ),
)  # fmt: skip
