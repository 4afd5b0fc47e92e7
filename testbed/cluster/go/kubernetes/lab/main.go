// Command lab is what a cloud would bring to a node: it makes the volumes that claims ask for, and
// enforces NetworkPolicies. One runs on each node and touches only what is on that node.
package main

import (
	"context"
	"flag"
	"os/signal"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file that says how to reach the API server")
	node := flag.String("node", "", "name of the node that this process runs on")
	volumes := flag.String("volumes", "", "folder in which volumes are made")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		klog.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(config)
	go serveVolumes(ctx, client, *node, *volumes)
	if err := enforcePolicies(ctx, client, *node); err != nil {
		klog.Fatal(err)
	}
}
