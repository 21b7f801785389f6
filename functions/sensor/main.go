// Command sensor is the Lambda function that calls sensors and sends messages.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"waggle/functions/deployment"
)

func main() {
	d := deployment.Must(deployment.Open(context.Background()))
	teller := deployment.Must(d.Teller(context.Background()))
	lambda.StartHandlerFunc(handler{teller, d.Log}.handle)
}
