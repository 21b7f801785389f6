// Command run is the Lambda function that runs runs.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	_ "modernc.org/sqlite" // sources of pipelines

	"waggle/functions/deployment"
)

func main() {
	d := deployment.Must(deployment.Open(context.Background()))
	lambda.StartHandlerFunc(handler{d.Runner()}.handle)
}
