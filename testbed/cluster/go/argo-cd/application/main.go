// Command application does what Argo CD does for one Application, with Argo CD's engine: `status` compares the
// manifests on standard input with the cluster, `sync` applies them. Both print JSON: what Argo CD's UI shows.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "application:", err)
		os.Exit(1)
	}
}

func run() error {
	var (
		kubeconfig = flag.String("kubeconfig", "", "the cluster")
		name       = flag.String("name", "mlflow", "name of the Application")
		namespace  = flag.String("namespace", "default", "namespace of what has none in its manifest")
		serverSide = flag.Bool("server-side", false, "syncOptions: ServerSideApply=true, compare-options: ServerSideDiff=true")
		prune      = flag.Bool("prune", false, "remove what is no longer in the manifests")
		timeout    = flag.Duration("timeout", 5*time.Minute, "of the whole command")
	)
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 50, 100 // as Argo CD has them
	app := &application{name: *name, namespace: *namespace, serverSide: *serverSide, prune: *prune}
	return app.do(ctx, config, flag.Arg(0))
}

func (a *application) do(ctx context.Context, config *rest.Config, command string) error {
	manifests, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	if err := a.open(config, manifests); err != nil {
		return err
	}
	var said any
	switch command {
	case "status":
		said, err = a.status(ctx)
	case "sync":
		said, err = a.sync(ctx)
	default:
		err = fmt.Errorf("%q is neither status nor sync", command)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(said)
}
