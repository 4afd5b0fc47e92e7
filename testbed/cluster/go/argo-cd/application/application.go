package main

import (
	"context"
	"fmt"

	"github.com/argoproj/argo-cd/gitops-engine/v3/pkg/cache"
	"github.com/argoproj/argo-cd/gitops-engine/v3/pkg/engine"
	"github.com/argoproj/argo-cd/gitops-engine/v3/pkg/sync"
	"github.com/argoproj/argo-cd/gitops-engine/v3/pkg/sync/common"
	"github.com/argoproj/argo-cd/gitops-engine/v3/pkg/utils/kube"
	"github.com/argoproj/argo-cd/gitops-engine/v3/pkg/utils/tracing"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2/textlogger"
)

const (
	// tracking is the annotation by which Argo CD 3 finds what belongs to an Application.
	tracking = "argocd.argoproj.io/tracking-id"
	// manager is the name under which Argo CD applies on the server side.
	manager = "argocd-controller"
)

// application is one Application of Argo CD: where it goes, how it is applied, and its manifests.
type application struct {
	name, namespace   string
	serverSide, prune bool

	config  *rest.Config
	kubectl *kube.KubectlCmd
	cluster cache.ClusterCache
	targets []*unstructured.Unstructured
}

// open reads the cluster and the manifests.
func (a *application) open(config *rest.Config, manifests []byte) (err error) {
	a.config = config
	a.kubectl = &kube.KubectlCmd{Log: textlogger.NewLogger(textlogger.NewConfig()), Tracer: tracing.NopTracer{}}
	a.cluster = cache.NewClusterCache(config, cache.SetPopulateResourceInfoHandler(
		func(live *unstructured.Unstructured, _ bool) (any, bool) {
			id := live.GetAnnotations()[tracking]
			return id, id != ""
		}))
	if err = a.cluster.EnsureSynced(); err != nil {
		return err
	}
	if a.targets, err = kube.SplitYAML(manifests); err != nil {
		return err
	}
	for _, target := range a.targets {
		if err = a.claim(target); err != nil {
			return err
		}
	}
	return nil
}

// claim gives a manifest its namespace and the annotation of the Application.
func (a *application) claim(target *unstructured.Unstructured) error {
	namespaced, err := a.cluster.IsNamespaced(target.GroupVersionKind().GroupKind())
	if err != nil {
		return err
	}
	if namespaced && target.GetNamespace() == "" {
		target.SetNamespace(a.namespace)
	}
	annotations := target.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[tracking] = a.trackingID(kube.GetResourceKey(target))
	target.SetAnnotations(annotations)
	return nil
}

func (a *application) trackingID(key kube.ResourceKey) string {
	return fmt.Sprintf("%s:%s/%s:%s/%s", a.name, key.Group, key.Kind, key.Namespace, key.Name)
}

// owns reports whether a live object belongs to the Application; a copy of the annotation on another does not count.
func (a *application) owns(live *cache.Resource) bool {
	return live.Info == a.trackingID(live.ResourceKey())
}

// result is what Argo CD reports of one object after a sync.
type result struct {
	Object  string            `json:"object"`
	Status  common.ResultCode `json:"status"`
	Hook    common.HookType   `json:"hook,omitempty"`
	Message string            `json:"message"`
}

// sync applies the manifests in the order of their phases and waves, hooks included.
func (a *application) sync(ctx context.Context) ([]result, error) {
	synced, err := engine.NewEngine(a.config, a.cluster, engine.WithKubectl(a.kubectl)).Sync(
		ctx, a.targets, a.owns, "manifests", a.namespace,
		sync.WithPrune(a.prune),
		sync.WithManifestValidation(true),
		sync.WithServerSideApply(a.serverSide),
		sync.WithServerSideApplyManager(manager),
	)
	if err != nil {
		return nil, err
	}
	said := []result{}
	for _, each := range synced {
		if each.Status == common.ResultCodeSyncFailed || each.HookPhase.Failed() {
			return nil, fmt.Errorf("sync of %s: %s", each.ResourceKey.String(), each.Message)
		}
		said = append(said, result{each.ResourceKey.String(), each.Status, each.HookType, each.Message})
	}
	return said, nil
}
