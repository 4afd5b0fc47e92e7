"""Deletes objects."""

from kubernetes import client


def delete_job(api: client.ApiClient, namespace: str, name: str) -> None:
    """Delete a Job, which is there until its pods are gone."""
    body = client.V1DeleteOptions(propagation_policy="Foreground")
    client.BatchV1Api(api).delete_namespaced_job(name, namespace, body=body)
