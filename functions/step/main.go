// Command step is the Lambda function that runs steps which have a function of their own.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
	_ "modernc.org/sqlite" // sources of pipelines

	"waggle/functions/deployment"
)

func main() {
	d := deployment.Must(deployment.Open(context.Background()))
	lambda.StartHandlerFunc(handler{d.Stepper()}.handle)
}
