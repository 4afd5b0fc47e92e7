package main

import (
	"context"
	"encoding/json"

	"github.com/argoproj/argo-cd/gitops-engine/v3/pkg/diff"
	"github.com/argoproj/argo-cd/gitops-engine/v3/pkg/health"
	"github.com/argoproj/argo-cd/gitops-engine/v3/pkg/sync"
	"github.com/argoproj/argo-cd/gitops-engine/v3/pkg/utils/kube"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// state is what Argo CD shows of one object.
type state struct {
	Object string                  `json:"object"`
	Sync   string                  `json:"sync"`
	Health health.HealthStatusCode `json:"health,omitempty"`
	// What differs, for an object that is OutOfSync: as it is, and as a sync would make it.
	Live   json.RawMessage `json:"live,omitempty"`
	Target json.RawMessage `json:"target,omitempty"`
}

// status compares each object as Argo CD does. What is in the cluster only is OutOfSync, too: a sync would prune it.
func (a *application) status(ctx context.Context) ([]state, error) {
	live, err := a.cluster.GetManagedLiveObjs(a.targets, a.owns)
	if err != nil {
		return nil, err
	}
	both := sync.Reconcile(a.targets, live, a.namespace, a.cluster)
	options, done, err := a.diffOptions()
	if err != nil {
		return nil, err
	}
	defer done()
	found, err := diff.DiffArray(ctx, both.Target, both.Live, options...)
	if err != nil {
		return nil, err
	}
	states := []state{}
	for i, each := range found.Diffs {
		states = append(states, stateOf(both.Target[i], both.Live[i], each))
	}
	return states, nil
}

func (a *application) diffOptions() ([]diff.Option, func(), error) {
	options := []diff.Option{diff.WithGVKParser(a.cluster.GetGVKParser()), diff.WithManager(manager)}
	if !a.serverSide {
		return options, func() {}, nil
	}
	runs, done, err := a.kubectl.ManageServerSideDiffDryRuns(a.config)
	if err != nil {
		return nil, nil, err
	}
	runner := diff.NewK8sServerSideDryRunner(runs)
	return append(options, diff.WithServerSideDiff(true), diff.WithServerSideDryRunner(runner)), done, nil
}

func stateOf(target, live *unstructured.Unstructured, found diff.DiffResult) state {
	any := live
	if any == nil {
		any = target
	}
	key := kube.GetResourceKey(any)
	said := state{Object: key.String(), Sync: "Synced", Health: healthOf(live)}
	if found.Modified || target == nil || live == nil {
		said.Sync, said.Live, said.Target = "OutOfSync", found.NormalizedLive, found.PredictedLive
	}
	return said
}

func healthOf(live *unstructured.Unstructured) health.HealthStatusCode {
	if live == nil {
		return health.HealthStatusMissing
	}
	if found, err := health.GetResourceHealth(live, nil); err == nil && found != nil {
		return found.Status
	}
	return "" // the kind has no health
}
