// Forwards every request to one server, as an ordinary Go program does: with the standard library's reverse proxy.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	target, err := url.Parse("http://127.0.0.1:" + os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	// One idle connection: what an attacker left behind on it, the next user gets.
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 1}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], proxy))
}
