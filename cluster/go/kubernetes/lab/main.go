// Command lab is what a cloud would bring: `lab volumes` makes local volumes for claims,
// `lab policies` enforces NetworkPolicies on one node.
package main

import (
	_ "k8s.io/client-go/kubernetes"
	_ "sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func main() {}
