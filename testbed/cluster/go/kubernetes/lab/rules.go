package main

import (
	"bytes"
	"fmt"
	"strings"
)

const (
	prefix = "LAB-"
	entry  = prefix + "FORWARD"
)

// The mangle table's hooks see a packet after kube-proxy has replaced the Service's address by the address behind
// it, and an ACCEPT of kube-proxy does not end it. A pod's traffic to its own node, which may run the API server,
// is not forwarded, and comes in. A node's traffic to its own pods (probes) passes neither.
var hooks = []string{"-A FORWARD -j " + entry, "-A INPUT -j " + entry}

// chain is a named list of iptables rules, without their "-A name".
type chain struct {
	name  string
	rules []string
}

// script is the input of iptables-restore that makes `wanted` all of our chains; `before` is what
// iptables-save said.
func script(wanted []chain, before string) []byte {
	var out bytes.Buffer
	fmt.Fprintln(&out, "*mangle")
	current := map[string]bool{}
	for _, each := range wanted {
		current[each.name] = true
		fmt.Fprintf(&out, ":%s - [0:0]\n", each.name) // makes it, or empties it
	}
	for _, each := range wanted {
		for _, rule := range each.rules {
			fmt.Fprintf(&out, "-A %s %s\n", each.name, rule)
		}
	}
	for _, name := range ours(before) {
		if !current[name] {
			fmt.Fprintf(&out, "-F %s\n-X %s\n", name, name)
		}
	}
	for _, hook := range hooks {
		if !strings.Contains(before, hook+"\n") {
			fmt.Fprintln(&out, hook)
		}
	}
	fmt.Fprintln(&out, "COMMIT")
	return out.Bytes()
}

// ours are the names of our chains in the output of iptables-save.
func ours(saved string) []string {
	var names []string
	for _, line := range strings.Split(saved, "\n") {
		if strings.HasPrefix(line, ":"+prefix) {
			names = append(names, strings.Fields(line)[0][1:])
		}
	}
	return names
}
