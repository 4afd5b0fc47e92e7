// Command provider is an OpenID provider for tests: dex's server with one client and its people, all from the
// environment, nothing kept. (dex's own command needs C for SQLite.)
package main

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"golang.org/x/crypto/bcrypt"
)

func main() {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	provider, err := server.NewServer(context.Background(), server.Config{
		Issuer:             os.Getenv("ISSUER"),
		Storage:            store(logger),
		SkipApprovalScreen: true,
		PasswordConnector:  accounts().ID, // a token for a name and a password, without a browser
		IDTokensValidFor:   validity(),
		Logger:             logger,
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(setting("LISTEN", ":5556"), provider))
}

// accounts is the connector that knows people: an LDAP directory by dex's settings in LDAP_CONFIG, those of PEOPLE_FILE
// with their groups, or the one of EMAIL without.
func accounts() storage.Connector {
	if config := os.Getenv("LDAP_CONFIG"); config != "" {
		return storage.Connector{ID: "ldap", Type: "ldap", Name: "LDAP", Config: []byte(config)}
	}
	if os.Getenv("PEOPLE_FILE") != "" {
		return storage.Connector{ID: peopleConnector, Type: peopleConnector, Name: "Email"}
	}
	return storage.Connector{ID: server.LocalConnector, Type: server.LocalConnector, Name: "Email"}
}

func validity() time.Duration {
	found, err := time.ParseDuration(setting("TOKENS_VALID_FOR", "24h"))
	if err != nil {
		log.Fatal(err)
	}
	return found
}

func setting(name, otherwise string) string {
	if found := os.Getenv(name); found != "" {
		return found
	}
	return otherwise
}

func store(logger *slog.Logger) storage.Storage {
	client := storage.Client{
		ID:           os.Getenv("CLIENT_ID"),
		Secret:       os.Getenv("CLIENT_SECRET"),
		RedirectURIs: []string{os.Getenv("REDIRECT_URI")},
	}

	found := storage.WithStaticClients(memory.New(logger), []storage.Client{client})
	if accounts().ID == server.LocalConnector {
		found = storage.WithStaticPasswords(found, []storage.Password{local()}, logger)
	}
	return storage.WithStaticConnectors(found, []storage.Connector{accounts()})
}

func local() storage.Password {
	hash, err := bcrypt.GenerateFromPassword([]byte(os.Getenv("PASSWORD")), bcrypt.DefaultCost)
	if err != nil {
		log.Fatal(err)
	}
	return storage.Password{Email: os.Getenv("EMAIL"), Hash: hash, Username: "somebody", UserID: "1"}
}
