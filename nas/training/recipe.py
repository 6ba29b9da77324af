"""How a network is trained: numbers, each with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Training settings of a trial; the defaults suit small images and short schedules."""

    epochs: int = 12  # enough on digits for the order of networks to settle; later epochs move all alike
    batch: int = 64  # a thousand images make 17 steps an epoch, few enough that larger batches train too little
    rate: float = 0.1  # peak learning rate of SGD at batch 64 under batch norm; 0.05 and 0.2 end no better
    momentum: float = 0.9  # Krizhevsky et al. 2012, section 5; Nesterov's form, as in Huang et al. 2017
    decay: float = 5e-4  # weight decay on kernels only; norms and biases are left alone
    warmup: float = 0.2  # share of the steps in which the rate rises, so that deep stacks survive the peak
    smoothing: float = 0.1  # label smoothing (Szegedy et al. 2015, section 7)
    shift: int = 1  # pixels of random translation; a flip would turn digits into other signs
    auxiliary: float = 0.3  # weight of each auxiliary head's loss (Szegedy et al. 2014, section 5)
    clip: float = 2.0  # gradient norm is clipped here (Szegedy et al. 2015, section 8)
