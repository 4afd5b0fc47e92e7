"""Fit a decision tree on wine within the run that `mlflow run` has started."""

import argparse

import mlflow
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--max-depth", type=int, required=True)
max_depth = parser.parse_args().max_depth

# `mlflow run` has logged the parameters, and named its run in MLFLOW_RUN_ID.
with mlflow.start_run():
    tree = DecisionTreeClassifier(max_depth=max_depth, random_state=42)
    mlflow.log_metric("cv_accuracy", cross_val_score(tree, *load_wine(return_X_y=True)).mean())
