"""A short fit under each tracker, as the page on tracking shows it.

    python recipes/tracking.py tensorboard wandb mlflow codecarbon

It needs those that are named, and writes into the current folder.
"""

from __future__ import annotations

import sys
from typing import Any

import keras

import fer2013kit as fk

data = fk.make_fer2013(n_samples=140, random_state=0)
clf = fk.EmotionClassifier(
    model_params={"filters": (4, 4, 4), "dense_units": 8}, epochs=2, verbose=0, random_state=0
)


def by_tensorboard() -> None:
    """Write what ``tensorboard --logdir logs`` shows."""
    clf.fit(
        *data.train,
        validation_data=data.validation,
        callbacks=[keras.callbacks.TensorBoard("logs")],
    )


def by_wandb() -> None:
    """Write a run that stays on this machine until ``wandb sync``."""
    import wandb

    with wandb.init(project="fer2013", mode="offline", config=clf.get_params(deep=False)) as run:
        log = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: run.log(dict(logs), step=epoch)
        )
        clf.fit(*data.train, validation_data=data.validation, callbacks=[log])
        run.summary["test accuracy"] = clf.evaluate(*data.test).accuracy


def by_mlflow() -> None:
    """Log every epoch, the settings, a figure and the model, and load that again."""
    import mlflow

    images = data.test.images
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.tensorflow.autolog(log_models=False)  # every epoch, and what Keras was told
    with mlflow.start_run() as run:
        clf.fit(*data.train, validation_data=data.validation)
        told = {*mlflow.get_run(run.info.run_id).data.params}  # each is taken only once
        settings = clf.get_params(deep=False).items()
        mlflow.log_params({name: str(one) for name, one in settings if name not in told})
        mlflow.log_metric("test_accuracy", clf.evaluate(*data.test).accuracy)
        clf.save("emotions.fer")

        class Emotions(mlflow.pyfunc.PythonModel):
            def load_context(self, context: Any) -> None:
                self.classifier = fk.EmotionClassifier.load(context.artifacts["fer"])

            def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
                del context, params
                return self.classifier.predict_proba(model_input)

        logged = mlflow.pyfunc.log_model(
            name="emotions", python_model=Emotions(), artifacts={"fer": "emotions.fer"}
        )
    again = mlflow.pyfunc.load_model(logged.model_uri)
    print("the same answers:", (again.predict(images) == clf.predict_proba(images)).all())


def by_codecarbon() -> None:
    """Estimate what a fit emits, by the mix of a country."""
    from codecarbon import OfflineEmissionsTracker

    with OfflineEmissionsTracker(country_iso_code="DEU", log_level="error") as tracker:
        clf.fit(*data.train)
    print(f"{tracker.final_emissions:.2g} kg of CO2")


# --- end

if __name__ == "__main__":
    for name in sys.argv[1:]:
        globals()[f"by_{name}"]()
        print(f"{name}: done", flush=True)
