//go:build dynamodb

package tabletest

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"waggle/shared/fault"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
)

// What the environment says: where DynamoDB is, and the file that gets a line for each test that had a table there.
const (
	endpointVariable = "WAGGLE_TEST_DYNAMODB"
	tallyVariable    = "WAGGLE_TEST_TALLY"
)

// shared is the one table of this process; each test has its own prefix of partitions in it. A table each would take
// longer than most tests.
type shared struct {
	name   string
	config *aws.Config
	create func(testing.TB)

	mu     sync.Mutex
	spaces int
	seen   map[string]bool // tests
}

// server is nil where the environment names none. It is set before any test starts, since its goroutines must not belong to
// a synctest bubble.
var server = connect(os.Getenv(endpointVariable))

func connect(endpoint string) *shared {
	if endpoint == "" {
		return nil
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 64, 64
	s := &shared{name: "waggle-" + filepath.Base(os.Args[0]), seen: map[string]bool{}, config: &aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint,
		HTTPClient: &http.Client{Transport: transport}, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}}
	made := sync.OnceValue(func() error {
		return outside(func() error { return dynamodriver.Create(context.Background(), s.name, s.options(nil)) })
	})
	s.create = func(t testing.TB) {
		t.Helper()
		if err := made(); err != nil && !errors.Is(err, fault.Conflict) {
			t.Fatalf("tabletest: %v", err)
		}
	}
	return s
}

// options are patient: tests count on an answer to each call, and an emulator beside other builds can be slow.
func (s *shared) options(clock func() time.Time) *dynamodriver.Options {
	return &dynamodriver.Options{Indexes: store.Indexes(), Config: s.config, Clock: clock, SkipCheck: true, KeepExpired: true, Timeout: 2 * time.Minute, TryTimeout: time.Minute}
}

// Remote reports whether tables are in DynamoDB.
func Remote() bool { return server != nil }

func remote(t testing.TB, opts *Options) Table {
	t.Helper()
	if server == nil {
		return nil
	}
	server.create(t)
	server.count(t)
	return server.space(opts)
}

// count writes a test into the tally.
func (s *shared) count(t testing.TB) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	path := os.Getenv(tallyVariable)
	if path == "" || s.seen[t.Name()] {
		return
	}
	s.seen[t.Name()] = true
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(filepath.Base(os.Args[0]) + " " + t.Name() + "\n")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatalf("tabletest: %v", err)
	}
}

// outside calls f on a goroutine that belongs to no synctest bubble. While a goroutine of a bubble waits for it, the bubble's
// clock stands still, as it does for a call of the memory driver; a connection's own goroutines would stop it for good.
func outside(f func() error) error {
	c := <-idle
	c.work <- f
	err := <-c.done
	idle <- c
	return err
}

// caller is one goroutine outside of all bubbles, and channels that were made there.
type caller struct {
	work chan func() error
	done chan error
}

// idle are the callers without work; none where they are not needed.
var idle = callers(64)

func callers(n int) chan *caller {
	idle := make(chan *caller, n)
	if os.Getenv(endpointVariable) == "" {
		return idle
	}
	for range n {
		c := &caller{make(chan func() error), make(chan error)}
		go func() {
			for f := range c.work {
				c.done <- f()
			}
		}()
		idle <- c
	}
	return idle
}

var _ driver.Driver = (*space)(nil)
