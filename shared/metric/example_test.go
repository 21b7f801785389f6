package metric_test

import (
	"os"
	"time"

	"waggle/shared/metric"
)

func ExampleLog() {
	log := metric.NewLog(os.Stdout, "prod", func() time.Time { return time.UnixMilli(1795856400000) })
	log.Count(metric.RunsFailed, true)
	log.Took(metric.AlertMilliseconds, 1500*time.Millisecond)
	// Output:
	// {"Environment":"prod","RunsFailed":1,"_aws":{"CloudWatchMetrics":[{"Dimensions":[["Environment"]],"Metrics":[{"Name":"RunsFailed","Unit":"Count"}],"Namespace":"Waggle"}],"Timestamp":1795856400000}}
	// {"AlertMilliseconds":1500,"Environment":"prod","_aws":{"CloudWatchMetrics":[{"Dimensions":[["Environment"]],"Metrics":[{"Name":"AlertMilliseconds","Unit":"Milliseconds"}],"Namespace":"Waggle"}],"Timestamp":1795856400000}}
}
