// Command sensor is the Lambda function that calls sensors and sends messages.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"

	"waggle/functions/deployment"
)

func main() {
	d := deployment.Must(deployment.Open(context.Background()))
	senders := deployment.Must(openSenders(context.Background(), d.AWS, d.Environment))
	lambda.StartHandlerFunc(handler{d.Teller(senders.Of), d.Log}.handle)
}
