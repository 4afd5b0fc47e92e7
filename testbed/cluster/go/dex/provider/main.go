// Command provider is an OpenID provider for tests: dex's server with one client and one person, all from the
// environment, nothing kept. (dex's own command needs C for SQLite.)
package main

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"os"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"golang.org/x/crypto/bcrypt"
)

func main() {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	provider, err := server.NewServer(context.Background(), server.Config{
		Issuer:             os.Getenv("ISSUER"),
		Storage:            known(logger),
		SkipApprovalScreen: true,
		PasswordConnector:  server.LocalConnector, // a token for a name and a password, without a browser
		Logger:             logger,
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(":5556", provider))
}

func known(logger *slog.Logger) storage.Storage {
	hash, err := bcrypt.GenerateFromPassword([]byte(os.Getenv("PASSWORD")), bcrypt.DefaultCost)
	if err != nil {
		log.Fatal(err)
	}
	client := storage.Client{
		ID:           os.Getenv("CLIENT_ID"),
		Secret:       os.Getenv("CLIENT_SECRET"),
		RedirectURIs: []string{os.Getenv("REDIRECT_URI")},
	}
	person := storage.Password{Email: os.Getenv("EMAIL"), Hash: hash, Username: "somebody", UserID: "1"}
	local := storage.Connector{ID: server.LocalConnector, Type: server.LocalConnector, Name: "Email"}

	store := storage.WithStaticClients(memory.New(logger), []storage.Client{client})
	store = storage.WithStaticPasswords(store, []storage.Password{person}, logger)
	return storage.WithStaticConnectors(store, []storage.Connector{local})
}
