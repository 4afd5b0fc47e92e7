package main

import (
	"fmt"
	"hash/fnv"
	"slices"

	v1 "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// world is all that the meaning of a NetworkPolicy depends on.
type world struct {
	pods       []*v1.Pod
	namespaces map[string]labels.Set
	policies   []*networking.NetworkPolicy
}

func newWorld(
	pods []*v1.Pod, namespaces []*v1.Namespace, policies []*networking.NetworkPolicy,
) *world {
	byName := map[string]labels.Set{}
	for _, each := range namespaces {
		byName[each.Name] = each.Labels
	}
	pods = slices.DeleteFunc(slices.Clone(pods), func(pod *v1.Pod) bool { return !hasOwnAddress(pod) })
	return &world{pods: pods, namespaces: byName, policies: policies}
}

// hasOwnAddress reports whether an address belongs to this pod: that of a finished one may be another's by now.
func hasOwnAddress(pod *v1.Pod) bool {
	finished := pod.Status.Phase == v1.PodSucceeded || pod.Status.Phase == v1.PodFailed
	return pod.Status.PodIP != "" && !pod.Spec.HostNetwork && !finished
}

// chains are the rules of one node: an entry, and a chain for each of its pods and isolated directions.
func (w *world) chains(node string) []chain {
	first := chain{name: entry, rules: []string{"-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"}}
	var perPod []chain
	for _, pod := range w.pods {
		if pod.Spec.NodeName != node {
			continue
		}
		for _, way := range []direction{ingress, egress} {
			rules, isolated := w.rules(pod, way)
			if !isolated {
				continue
			}
			name := chainName(pod, way)
			first.rules = append(first.rules, fmt.Sprintf("%s %s -j %s", way.own, pod.Status.PodIP, name))
			perPod = append(perPod, chain{name: name, rules: append(rules, "-j DROP")})
		}
	}
	return append([]chain{first}, perPod...)
}

// rules are what is allowed for one pod in one direction; isolated is false where no policy speaks of it.
func (w *world) rules(pod *v1.Pod, way direction) (rules []string, isolated bool) {
	for _, policy := range w.policies {
		speaks := policy.Namespace == pod.Namespace &&
			slices.Contains(policy.Spec.PolicyTypes, way.kind) &&
			matches(&policy.Spec.PodSelector, pod.Labels)
		if !speaks {
			continue
		}
		isolated = true
		for _, allowed := range way.allowed(policy) {
			rules = append(rules, w.allow(pod, way, policy.Namespace, allowed)...)
		}
	}
	return rules, isolated
}

func matches(selector *metav1.LabelSelector, set labels.Set) bool {
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(set)
}

// chainName is unique for a pod and direction, and short enough for the kernel (28 characters).
func chainName(pod *v1.Pod, way direction) string {
	hash := fnv.New64a()
	hash.Write([]byte(pod.UID))
	return fmt.Sprintf("%s%s-%016x", prefix, way.name, hash.Sum64())
}
