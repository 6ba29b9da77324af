"""The scale of a study in words: what every network of it was trained on, and for how long."""

from collections.abc import Iterable
from math import ceil

from nas.principles.claims.principle import Arm
from nas.principles.claims.setting import Setting
from nas.principles.judging.study_results import StudyResults
from nas.principles.study_file import PrincipleStudy
from nas.report.text import clip, listed, percent
from nas.search.experiment import Experiment
from nas.training.metrics import misclassified_images


def optimizer_steps(experiment: Experiment, arm: Arm | None = None) -> int | None:
    """Return the optimizer steps of a training, that of an arm if given; None where all images are used."""
    changed = arm.recipe if arm else {}
    images = experiment.train_images
    epochs, batch = (int(changed.get(name, getattr(experiment.recipe, name))) for name in ("epochs", "batch"))
    return None if images is None else epochs * ceil(images / batch)


def schedule_text(experiment: Experiment) -> str:
    """Return how long a network is trained: `2,512 optimizer steps of 64 images (16 epochs of 10,000 images)`."""
    recipe, steps = experiment.recipe, optimizer_steps(experiment)
    if steps is None:
        return f"{recipe.epochs:,} epochs of all images, {recipe.batch:,} per optimizer step"
    return (f"{steps:,} optimizer steps of {recipe.batch:,} images ({recipe.epochs:,} epochs of "
            f"{experiment.train_images or 0:,} images)")  # fmt: skip


def pixels_text(settings: Iterable[Setting]) -> str:
    """Return the pixels per side of what the networks see: `14 or 16 pixels per side`."""
    sides = sorted({image_side(setting) for setting in settings})
    return f"{' or '.join(map(str, sides))} pixels per side"


def image_side(setting: Setting) -> int:
    """Return the pixels per side of what the networks of a setting see, after its images are averaged."""
    return setting.image().shape[1]


def drawn_settings(results: StudyResults, key: str) -> list[Setting]:
    """Return the settings in which the arms of a principle were built, enlarged as it asks for."""
    (principle,) = (each for each in results.study.principles if each.key == key)
    return [arms.setting.enlarged(principle.enlarged) for arms in results.plan.arms[key]]


def data_name(study: PrincipleStudy, index: int) -> str:
    """Return the name of the data set of a setting."""
    return clip(study.source(index).name)


def data_names(study: PrincipleStudy) -> list[str]:
    """Return the names of the data sets, each once."""
    return list(dict.fromkeys(data_name(study, index) for index in range(study.design.settings)))


def validation_text(results: StudyResults) -> str:
    """Return how many images a network is validated on, as recorded; the share where no training recorded it."""
    kept = (misclassified_images(record.misclassified) for record in results.records.values())
    counts = sorted({len(images) for images in kept if images is not None})
    if counts:
        return " or ".join(f"{count:,}" for count in counts)
    share = results.study.experiment.validation
    return f"{percent(share)} of a data set" if share else "the data set's share"


def arm_text(arm: Arm, experiment: Experiment) -> str:
    """Return how the training of an arm differs from the study's; "" where it does not."""
    parts = [f"{name} {value}" for name, value in arm.recipe.items()]
    if {"epochs", "batch"} & set(arm.recipe) and (steps := optimizer_steps(experiment, arm)):
        parts.append(f"{steps:,} optimizer steps")
    if arm.handicap:
        parts.append(f"{arm.handicap:g} % added to its error")
    return listed(parts) if parts else ""
