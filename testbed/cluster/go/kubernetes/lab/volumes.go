package main

import (
	"context"
	"os"
	"path/filepath"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

const (
	provisionerName = "mlflow-kubernetes/local"
	selectedNode    = "volume.kubernetes.io/selected-node"
)

// localVolumes makes a folder of one node's disk for each claim whose pod was scheduled there.
type localVolumes struct {
	node   string
	folder string
}

func serveVolumes(ctx context.Context, client kubernetes.Interface, node, folder string) {
	volumes := &localVolumes{node: node, folder: folder}
	// No election: each process serves its own node's claims.
	options := controller.LeaderElection(false)
	controller.NewProvisionController(ctx, client, provisionerName, volumes, options).Run(ctx)
}

// ShouldProvision leaves the claims of other nodes to the processes there.
func (l *localVolumes) ShouldProvision(_ context.Context, claim *v1.PersistentVolumeClaim) bool {
	return claim.Annotations[selectedNode] == l.node
}

// ShouldDelete leaves the volumes of other nodes to the processes there.
func (l *localVolumes) ShouldDelete(_ context.Context, volume *v1.PersistentVolume) bool {
	return volume.Spec.Local != nil && volume.Annotations[selectedNode] == l.node
}

// Provision makes the folder. It belongs to root, as a cloud's disk does: a pod needs fsGroup.
func (l *localVolumes) Provision(
	_ context.Context, options controller.ProvisionOptions,
) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	path := filepath.Join(l.folder, options.PVName)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        options.PVName,
			Annotations: map[string]string{selectedNode: l.node},
		},
		Spec: v1.PersistentVolumeSpec{
			Capacity:                      options.PVC.Spec.Resources.Requests,
			AccessModes:                   options.PVC.Spec.AccessModes,
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			PersistentVolumeSource:        v1.PersistentVolumeSource{Local: &v1.LocalVolumeSource{Path: path}},
			NodeAffinity:                  l.onlyHere(),
		},
	}, controller.ProvisioningFinished, nil
}

// Delete removes the folder and what is in it.
func (l *localVolumes) Delete(_ context.Context, volume *v1.PersistentVolume) error {
	return os.RemoveAll(volume.Spec.Local.Path)
}

func (l *localVolumes) onlyHere() *v1.VolumeNodeAffinity {
	here := v1.NodeSelectorRequirement{
		Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{l.node},
	}
	term := v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{here}}
	return &v1.VolumeNodeAffinity{
		Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{term}},
	}
}
