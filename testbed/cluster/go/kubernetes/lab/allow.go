package main

import (
	"fmt"
	"net/netip"
	"strings"

	v1 "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// permission is one entry of a policy's `ingress` or `egress`: from or to whom, and on which ports.
type permission struct {
	peers []networking.NetworkPolicyPeer
	ports []networking.NetworkPolicyPort
}

// direction is what differs between ingress and egress.
type direction struct {
	name    string
	kind    networking.PolicyType
	own     string // iptables' match of the pod's own address
	peer    string // and of the other side's
	allowed func(*networking.NetworkPolicy) []permission
}

var ingress = direction{"IN", networking.PolicyTypeIngress, "-d", "-s",
	func(policy *networking.NetworkPolicy) (all []permission) {
		for _, each := range policy.Spec.Ingress {
			all = append(all, permission{each.From, each.Ports})
		}
		return all
	}}

var egress = direction{"OUT", networking.PolicyTypeEgress, "-s", "-d",
	func(policy *networking.NetworkPolicy) (all []permission) {
		for _, each := range policy.Spec.Egress {
			all = append(all, permission{each.To, each.Ports})
		}
		return all
	}}

// destination is an other side; its pod, if it is one, gives named ports their numbers on egress.
type destination struct {
	address string // an address or a prefix
	pod     *v1.Pod
}

// allow is one permission as rules: every peer with every port.
func (w *world) allow(pod *v1.Pod, way direction, namespace string, allowed permission) (rules []string) {
	for _, other := range w.destinations(namespace, allowed) {
		target := pod
		if way.kind == networking.PolicyTypeEgress {
			target = other.pod
		}
		for _, port := range portMatches(allowed.ports, target) {
			rules = append(rules, strings.TrimSpace(fmt.Sprintf("%s %s %s", way.peer, other.address, port))+" -j RETURN")
		}
	}
	return rules
}

func (w *world) destinations(namespace string, allowed permission) (found []destination) {
	if len(allowed.peers) == 0 {
		found = append(found, destination{address: "0.0.0.0/0"})
		if hasNamedPort(allowed.ports) { // means any pod that has a port of this name
			for _, pod := range w.pods {
				found = append(found, destination{pod.Status.PodIP, pod})
			}
		}
		return found
	}
	for _, peer := range allowed.peers {
		if peer.IPBlock != nil {
			for _, block := range blockPrefixes(peer.IPBlock) {
				found = append(found, destination{address: block.String()})
			}
			continue
		}
		for _, pod := range w.pods {
			if w.selects(peer, namespace, pod) {
				found = append(found, destination{pod.Status.PodIP, pod})
			}
		}
	}
	return found
}

// selects: without a namespaceSelector the policy's own namespace is meant, without a podSelector every pod.
func (w *world) selects(peer networking.NetworkPolicyPeer, namespace string, pod *v1.Pod) bool {
	if peer.NamespaceSelector == nil && pod.Namespace != namespace {
		return false
	}
	if peer.NamespaceSelector != nil && !matches(peer.NamespaceSelector, w.namespaces[pod.Namespace]) {
		return false
	}
	return peer.PodSelector == nil || matches(peer.PodSelector, pod.Labels)
}

func hasNamedPort(ports []networking.NetworkPolicyPort) bool {
	for _, each := range ports {
		if each.Port != nil && each.Port.Type == intstr.String {
			return true
		}
	}
	return false
}

// portMatches are iptables' matches of the ports; one empty match where every port is allowed.
func portMatches(ports []networking.NetworkPolicyPort, target *v1.Pod) (found []string) {
	if len(ports) == 0 {
		return []string{""}
	}
	for _, each := range ports {
		protocol := strings.ToLower(string(*each.Protocol)) // the API server fills in TCP
		match := fmt.Sprintf("-p %s -m %s", protocol, protocol)
		switch {
		case each.Port == nil:
			found = append(found, match)
		case each.Port.Type == intstr.Int && each.EndPort != nil:
			found = append(found, fmt.Sprintf("%s --dport %d:%d", match, each.Port.IntVal, *each.EndPort))
		case each.Port.Type == intstr.Int:
			found = append(found, fmt.Sprintf("%s --dport %d", match, each.Port.IntVal))
		default:
			for _, number := range namedPorts(target, each.Port.StrVal, *each.Protocol) {
				found = append(found, fmt.Sprintf("%s --dport %d", match, number))
			}
		}
	}
	return found
}

func namedPorts(pod *v1.Pod, name string, protocol v1.Protocol) (numbers []int32) {
	if pod == nil {
		return nil
	}
	for _, container := range pod.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == name && port.Protocol == protocol {
				numbers = append(numbers, port.ContainerPort)
			}
		}
	}
	return numbers
}

// blockPrefixes is an IPv4 block without its exceptions, as prefixes.
func blockPrefixes(block *networking.IPBlock) []netip.Prefix {
	whole, err := netip.ParsePrefix(block.CIDR)
	if err != nil || !whole.Addr().Is4() {
		return nil
	}
	left := []netip.Prefix{whole.Masked()}
	for _, text := range block.Except {
		except, err := netip.ParsePrefix(text)
		if err != nil {
			continue
		}
		var next []netip.Prefix
		for _, each := range left {
			next = append(next, without(each, except)...)
		}
		left = next
	}
	return left
}

// without is `whole` minus `except`: halved until each half is inside or outside of it.
func without(whole, except netip.Prefix) []netip.Prefix {
	if !whole.Overlaps(except) {
		return []netip.Prefix{whole}
	}
	if except.Bits() <= whole.Bits() {
		return nil
	}
	low := netip.PrefixFrom(whole.Addr(), whole.Bits()+1)
	bytes := whole.Addr().As4()
	bytes[whole.Bits()/8] |= 0x80 >> (whole.Bits() % 8)
	high := netip.PrefixFrom(netip.AddrFrom4(bytes), whole.Bits()+1)
	return append(without(low, except), without(high, except)...)
}
