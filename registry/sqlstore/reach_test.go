package sqlstore_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"esagate/internal/pgtest"
	"esagate/registry/sqlstore"
)

// The canary in two halves, because a password can be torn where it is not encoded.
const half, otherHalf = "XENON", "quokka"

// refuses opens a URL and holds the error to what an operator may and must learn; to
// migrate says the same.
func refuses(t *testing.T, storeURL, want string) {
	t.Helper()
	err := refusesToOpen(t, storeURL, want)
	if _, _, merr := sqlstore.Migrate(t.Context(), storeURL); merr == nil || merr.Error() != err.Error() {
		t.Errorf("migrate says %v, open %v", merr, err)
	}
}

func refusesToOpen(t *testing.T, storeURL, want string) error {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), storeURL)
	if err == nil {
		s.Close()
		t.Fatal("opened")
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("%q, want %q", err, want)
	}
	for _, secret := range []string{half, otherHalf, strings.ToLower(half), "opossum"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q holds %q", err, secret)
		}
	}
	return err
}

func TestPostgresURLs(t *testing.T) {
	const encode = "not a PostgreSQL URL"
	for text, want := range map[string]string{
		"postgres://opossum:XENON/quokka@h/d":                 encode,
		"postgres://opossum:XENON%zzquokka@h/d":               encode,
		"postgres://opossum:p@h/d?sslmode=XENONquokka":        "a parameter has a value that libpq does not know",
		"postgres://opossum:p@h/d?connect_timeout=XENON":      "a parameter has a value that libpq does not know",
		"postgres://opossum:p@h/d?sslrootcert=/XENON/quokka":  "can't be read: no such file or directory",
		"postgresql://opossum:XENONquokka@nowhere.invalid/d":  "postgres at nowhere.invalid:5432: the host's name can't be resolved",
		"postgres://opossum:XENONquokka@127.0.0.1:1/d":        "postgres at 127.0.0.1:1: connection refused",
		"postgres://opossum:XENONquokka@127.0.0.1:1,[::1]/d":  "postgres at 127.0.0.1:1, [::1]:5432: ",
		"postgres://opossum@/d?host=/nowhere&password=quokka": "postgres at /nowhere:5432: no such file or directory",
	} {
		t.Run(text, func(t *testing.T) { refuses(t, text, want) })
	}
}

func TestPostgresRefusals(t *testing.T) {
	c := pgtest.Shared(t)
	good, err := url.Parse(pgtest.Database(t))
	must(t)(err)
	at := "postgres at " + good.Host + ": "
	with := func(change func(u *url.URL)) string {
		u := *good
		change(&u)
		return u.String()
	}
	must(t)(c.Exec(t.Context(), c.URL("postgres"), `CREATE ROLE opossum LOGIN PASSWORD 'XENONquokka'`))
	t.Cleanup(func() { _ = c.Exec(context.WithoutCancel(t.Context()), c.URL("postgres"), `DROP ROLE opossum`) })
	for name, test := range map[string]struct{ url, want string }{
		"password": {with(func(u *url.URL) { u.User = url.UserPassword("opossum", half) }), at + "the password was refused (SQLSTATE 28P01)"},
		"user":     {with(func(u *url.URL) { u.User = url.UserPassword(half, otherHalf) }), at + "the password was refused (SQLSTATE 28P01)"},
		"database": {with(func(u *url.URL) { u.Path = "/" + otherHalf }), at + "there is no such database (SQLSTATE 3D000)"},
		"no TLS":   {with(func(u *url.URL) { u.RawQuery = "sslmode=require" }), at + "TLS: the server has none, and sslmode asks for it"},
		"setting":  {with(func(u *url.URL) { u.RawQuery += "&default_query_exec_mode=" + otherHalf }), "a parameter has a value that libpq does not know"},
	} {
		t.Run(name, func(t *testing.T) { refuses(t, test.url, test.want) })
	}
	t.Run("rights", func(t *testing.T) { // goose tries for seconds
		refusesToOpen(t, with(func(u *url.URL) { u.User = url.UserPassword("opossum", half+otherHalf) }), "the user may not do this (SQLSTATE 42501)")
	})
	t.Run("one connection", func(t *testing.T) {
		own, err := url.Parse(pgtest.Database(t))
		must(t)(err)
		own.User = url.UserPassword("opossum", half+otherHalf)
		must(t)(c.Exec(t.Context(), c.URL("postgres"), `ALTER ROLE opossum CONNECTION LIMIT 1`))
		must(t)(c.Exec(t.Context(), c.URL("postgres"), `ALTER DATABASE `+strings.TrimPrefix(own.Path, "/")+` OWNER TO opossum`))
		refusesToOpen(t, own.String(), "a migration needs two connections at once: "+at+"there are too many connections (SQLSTATE 53300)")
	})
}

// TestPostgresOddPeers: what answers is no PostgreSQL server that we could trust.
func TestPostgresOddPeers(t *testing.T) {
	certificate := selfSigned(t)
	for name, test := range map[string]struct {
		answer      func(conn net.Conn)
		query, want string
	}{
		"unknown authority": {func(conn net.Conn) { startTLS(conn, certificate) }, "sslmode=verify-full", "TLS: the server's certificate is not signed by an authority that is trusted"},
		"another protocol":  {func(conn net.Conn) { _, _ = io.WriteString(conn, "SXENONquokka\r\n") }, "sslmode=require", "TLS: what answers speaks no TLS"},
		"hangs up":          {func(net.Conn) {}, "sslmode=disable", "the connection broke"},
		"nothing":           {func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, "sslmode=disable&connect_timeout=1", "no answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			storeURL := "postgres://opossum:XENONquokka@" + serve(t, test.answer) + "/d?" + test.query
			refuses(t, storeURL, test.want)
		})
	}
	t.Run("nothing, and the caller's deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		host := serve(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
		if _, err := sqlstore.Open(ctx, "postgres://opossum:XENONquokka@"+host+"/d"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

// serve accepts connections until the test is over, and gives the address.
func serve(t *testing.T, answer func(conn net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t)(err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 512)) // the greeting
			answer(conn)
			conn.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

func startTLS(conn net.Conn, certificate tls.Certificate) {
	_, _ = io.WriteString(conn, "S")
	_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}).Handshake()
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t)(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t)(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func withUser(t *testing.T, databaseURL, name, password string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	must(t)(err)
	u.User = url.UserPassword(name, password)
	return u.String()
}
