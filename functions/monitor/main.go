// Command monitor is the Lambda function that looks after all that is due, each minute and when a run's function died.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"waggle/functions/deployment"
)

func main() {
	d := deployment.Must(deployment.Open(context.Background()))
	lambda.StartHandlerFunc(handler{d.Monitor()}.handle)
}
