package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"time"

	v1 "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// settle is how long changes are collected before the kernel's rules are replaced once for all.
const settle = 20 * time.Millisecond

// enforcePolicies keeps the kernel's rules of this node equal to what pods, namespaces and policies ask for.
func enforcePolicies(ctx context.Context, client kubernetes.Interface, node string) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	pods := factory.Core().V1().Pods()
	namespaces := factory.Core().V1().Namespaces()
	policies := factory.Networking().V1().NetworkPolicies()

	changed := make(chan struct{}, 1)
	for _, informer := range []cache.SharedIndexInformer{
		pods.Informer(), namespaces.Informer(), policies.Informer(),
	} {
		if _, err := informer.AddEventHandler(notify(changed)); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	klog.InfoS("Enforcing NetworkPolicies", "node", node)

	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			time.Sleep(settle)
			drain(changed)
			world := newWorld(
				must(pods.Lister().List(labels.Everything())),
				must(namespaces.Lister().List(labels.Everything())),
				must(policies.Lister().List(labels.Everything())),
			)
			if err := replaceRules(world.chains(node)); err != nil {
				klog.ErrorS(err, "The kernel refused the rules; trying again in a second")
				time.AfterFunc(time.Second, func() { signalChange(changed) })
			}
		}
	}
}

func notify(changed chan struct{}) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { signalChange(changed) },
		UpdateFunc: func(_, _ any) { signalChange(changed) },
		DeleteFunc: func(any) { signalChange(changed) },
	}
}

func signalChange(changed chan struct{}) {
	select {
	case changed <- struct{}{}:
	default:
	}
}

func drain(changed chan struct{}) {
	select {
	case <-changed:
	default:
	}
}

// must unwraps the answer of a lister, which reads memory and cannot fail.
func must[T *v1.Pod | *v1.Namespace | *networking.NetworkPolicy](items []T, _ error) []T {
	return items
}

// replaceRules puts the chains in the place of all earlier ones in a single step.
func replaceRules(wanted []chain) error {
	before, err := exec.Command("iptables-save", "-t", "mangle").Output()
	if err != nil {
		return fmt.Errorf("iptables-save: %w", err)
	}
	restore := exec.Command("iptables-restore", "--noflush", "--wait")
	restore.Stdin = bytes.NewReader(script(wanted, string(before)))
	if output, err := restore.CombinedOutput(); err != nil {
		return fmt.Errorf("iptables-restore: %w: %s", err, output)
	}
	return nil
}
