// Command lambda measures the functions as they were built: how large their zips are, how long a process takes until it asks for its first
// event, and how long a warm one takes for an event that leaves it nothing to do. The exit status is 1 if a zip is over its budget.
//
//	make build && localstack/with-emulators.sh go run ./bench/lambda
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"gocloud.dev/blob/memblob"

	"waggle/bench/figures"
	"waggle/localstack/emulator"
	"waggle/pipelines"
	"waggle/shared/engine"
	"waggle/shared/manifest"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/dynamodriver"
)

// figure is a line of output. README.md says how to read it.
type figure struct {
	Function string  `json:"function"`
	ZipMB    float64 `json:"zip_mb"`
	InitMS   float64 `json:"init_ms"`
	WarmMS   float64 `json:"warm_ms"`
	Starts   int     `json:"starts"`
	Calls    int     `json:"calls"`
}

// deployed is the architecture whose zips are deployed, and counted.
const deployed = "arm64"

const table = "waggle-bench"

func main() { figures.Main("lambda", command) }

func command(ctx context.Context) error {
	dist := flag.String("dist", "dist", "the `FOLDER` that make build wrote")
	starts := flag.Int("starts", 20, "how many processes to start of each function")
	calls := flag.Int("calls", 200, "how often to call a warm one")
	limit := flag.Duration("limit", 5*time.Minute, "give up after this time")
	flag.Parse()
	if *starts < 1 || *calls < 1 || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-starts and -calls are 1 or more")
	}
	built, err := manifest.Read(*dist)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	db, err := emulator.Dynoxide(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	id, err := ended(ctx, db.Endpoint)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "waggle-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	events := map[string]string{
		manifest.RunFunction:     fmt.Sprintf(`{"run":%q}`, id),
		manifest.StepFunction:    fmt.Sprintf(`{"run":%q,"step":"artworks_raw","attempt":1,"wake":"waggle-bench-run:1"}`, id),
		manifest.SensorFunction:  `{"wake":true}`,
		manifest.MonitorFunction: `{"monitor":true}`,
	}
	var over []error
	for _, f := range built.Functions {
		one := &function{name: f.Name, event: events[f.Name], env: environment(db.Endpoint)}
		folder := filepath.Join(dir, f.Name)
		if err := os.Mkdir(folder, 0o700); err != nil {
			return err
		}
		for _, z := range f.Zips {
			if z.Architecture == deployed {
				one.zip = z.Bytes
			}
			if z.Architecture == runtime.GOARCH {
				if one.program, err = unzip(filepath.Join(*dist, z.Path), folder); err != nil {
					return err
				}
			}
		}
		if one.program == "" || one.zip == 0 {
			return fmt.Errorf("%s has no zip for %s and one for this machine: run make build", f.Name, deployed)
		}
		figure, err := one.measure(ctx, *starts, *calls)
		if err != nil {
			return err
		}
		if err := figures.Print(figure); err != nil {
			return err
		}
		over = append(over, one.overBudget())
	}
	return errors.Join(over...)
}

// environment is what a deployment tells its functions. Nobody answers for the services other than DynamoDB: nothing is to be done there.
func environment(endpoint string) []string {
	return []string{"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "AWS_EC2_METADATA_DISABLED=true", "AWS_ENDPOINT_URL=" + endpoint,
		"WAGGLE_ENV=bench", "WAGGLE_TABLE=" + table, "WAGGLE_BUCKET=waggle-bench", "WAGGLE_BUS=waggle-bench", "WAGGLE_LOG_LEVEL=error",
		"WAGGLE_RUN_FUNCTION=waggle-bench-run:1", "WAGGLE_STEP_FUNCTION=waggle-bench-step:1", "WAGGLE_SENSOR_FUNCTION=waggle-bench-sensor",
		"SLACK_WEBHOOK_URL=http://127.0.0.1:1/", "SMTP_HOST=127.0.0.1", "MAIL_FROM=waggle@example.com", "MAIL_TO=team@example.com"}
}

// ended makes the table, and a run that has ended: a call for it is a call for nothing.
func ended(ctx context.Context, endpoint string) (run.ID, error) {
	opts := &dynamodriver.Options{Indexes: store.Indexes(), Config: &aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("bench", "bench", "")}}
	if err := dynamodriver.Create(ctx, table, opts); err != nil {
		return "", err
	}
	db, err := dynamodriver.Open(ctx, table, opts)
	if err != nil {
		return "", err
	}
	s := store.New(db, store.NewBlobs(memblob.OpenBucket(nil)), nil)
	defer func() { _ = s.Close() }()
	id, err := s.Launch(ctx, run.Request{Selection: []run.StepKey{"artworks_raw"}})
	if err != nil {
		return "", err
	}
	out, err := engine.New(s, pipelines.Definitions, nil).Run(ctx, id, nil)
	if err == nil && out.Record.Status != run.Success {
		err = fmt.Errorf("the run that was to be called for ended with %s: %s", out.Record.Status, out.Record.Error)
	}
	return id, err
}
