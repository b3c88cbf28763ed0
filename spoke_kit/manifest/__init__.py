"""The manifest, version 1: all that differs between spokes, as ``spoke.yaml`` and its overlays say it."""

from spoke_kit.manifest.features import Dataset, Entity, FeatureView, OfferedView
from spoke_kit.manifest.graphs import Compute, Graph, Task
from spoke_kit.manifest.manifest import VERSION, Contact, Links, Manifest, schema
from spoke_kit.manifest.models import Baseline, Gates, Metric, Model, ModelKind, Promotion
from spoke_kit.manifest.predictions import Alert, Grain, History, Place, Prediction, PredictionKind, Unit
from spoke_kit.manifest.reading import SHARED_FILE, load, load_package, load_shared
from spoke_kit.manifest.shared import SharedManifest

__all__ = [
    "SHARED_FILE",
    "VERSION",
    "Alert",
    "Baseline",
    "Compute",
    "Contact",
    "Dataset",
    "Entity",
    "FeatureView",
    "Gates",
    "Grain",
    "Graph",
    "History",
    "Links",
    "Manifest",
    "Metric",
    "Model",
    "ModelKind",
    "OfferedView",
    "Place",
    "Prediction",
    "PredictionKind",
    "Promotion",
    "SharedManifest",
    "Task",
    "Unit",
    "load",
    "load_package",
    "load_shared",
    "schema",
]
