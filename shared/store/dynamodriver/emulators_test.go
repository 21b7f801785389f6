//go:build dynamodb

package dynamodriver_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"waggle/localstack/emulator"
	"waggle/shared/store/driver"
	"waggle/shared/store/drivertest"
	"waggle/shared/store/dynamodriver"
)

// The emulators of this run, by name: each gets something wrong that another does not.
//
// DynamoDB Local 3.3.1, where AWS does otherwise: it charges a transaction 2 units whatever it holds, gives pages of one
// item more than 1 MB, and at times refuses a repeated transaction whose token it knows (IdempotentParameterMismatch).
//
// dynoxide 1.2.1: it takes index names of one character.
//
// MiniStack 1.5.33: it charges every query 0.5 units, and counts the text of a request, bodies in base64, against the 4 MB of
// a transaction, where AWS counts the items.
//
// None of them throttles, has two transactions in conflict, or lets an index lag. The wire tests send the first two.
var emulators = map[string]*emulator.Emulator{}

const (
	dynamoDBLocal = "DynamoDB Local"
	dynoxide      = "dynoxide"
	miniStack     = "MiniStack"
)

func TestMain(m *testing.M) { os.Exit(withEmulators(m)) }

func withEmulators(m *testing.M) int {
	local := func(ctx context.Context) (*emulator.Emulator, error) {
		jar, err := emulator.FindJar()
		if err != nil {
			return nil, err
		}
		return emulator.DynamoDBLocal(ctx, jar)
	}
	for name, start := range map[string]func(context.Context) (*emulator.Emulator, error){
		dynamoDBLocal: local, dynoxide: emulator.Dynoxide, miniStack: emulator.MiniStack,
	} {
		e, err := start(context.Background())
		if errors.Is(err, emulator.ErrNoDynoxide) && os.Getenv("CI") != "true" {
			fmt.Fprintln(os.Stderr, "NOT TESTED:", err)
			continue
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			return 1
		}
		emulators[name] = e
		defer e.Close()
	}
	return m.Run()
}

func TestDynamoDriverKeepsTheContractsOnDynamoDBLocal(t *testing.T) {
	t.Parallel()
	keepsTheContracts(t, dynamoDBLocal, "")
}

func TestDynamoDriverKeepsTheContractsOnDynoxide(t *testing.T) {
	t.Parallel()
	keepsTheContracts(t, dynoxide, "")
}

func TestDynamoDriverKeepsTheContractsOnMiniStackButForItsCountOf4MB(t *testing.T) {
	t.Parallel()
	keepsTheContracts(t, miniStack, "write_of_4_MB_works,_of_more_is_too_large")
}

// TestMiniStackCountsBase64Against4MB fails once MiniStack counts items: then take the exception out.
func TestMiniStackCountsBase64Against4MB(t *testing.T) {
	t.Parallel()
	d := create(t, miniStack, &dynamodriver.Options{})
	var ops []driver.Op
	for i := range 9 {
		ops = append(ops, driver.Op{Put: &driver.Item{Key: driver.Key{Partition: "p", Sort: fmt.Sprint(i)}, Body: make([]byte, 390<<10)}})
	}
	if err := d.Write(t.Context(), ops); err == nil || !strings.Contains(err.Error(), "4MB transaction size limit") {
		t.Fatalf("a write of 3.4 MB: %v", err)
	}
}

// keepsTheContracts runs the suite. The contract except, if any, is one where AWS does as the contract says and this
// emulator does not; the others check it.
func keepsTheContracts(t *testing.T, name, except string) {
	drivertest.Run(t, func(t *testing.T, clock func() time.Time) driver.Driver {
		if except != "" && strings.HasSuffix(t.Name(), except) {
			fmt.Fprintf(os.Stderr, "%s is wrong in %s: left out\n", name, except)
			t.SkipNow()
		}
		// The suite has a clock of its own: an emulator that deletes what has expired by its clock deletes too much.
		// The suite also counts on an answer to each call, so none is given up for being slow.
		return create(t, name, &dynamodriver.Options{Clock: clock, KeepExpired: true, Timeout: 2 * time.Minute, TryTimeout: time.Minute})
	})
}

// create makes a table of the test's own and opens it.
func create(t *testing.T, name string, opts *dynamodriver.Options) *dynamodriver.Driver {
	t.Helper()
	e := emulators[name]
	if e == nil {
		fmt.Fprintf(os.Stderr, "NOT TESTED: there is no %s here\n", name)
		t.SkipNow()
	}
	opts.Config = connection(e.Endpoint)
	if opts.Indexes == nil {
		opts.Indexes = indexes
	}
	table := tableOf(t)
	if err := dynamodriver.Create(t.Context(), table, opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := dynamodb.NewFromConfig(*opts.Config).DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &table})
		var gone *types.ResourceNotFoundException
		if err != nil && !errors.As(err, &gone) { // gone: the SDK tried again after an answer was lost
			t.Error(err)
		}
	})
	d, err := dynamodriver.Open(t.Context(), table, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}
