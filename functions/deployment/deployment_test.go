package deployment

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"waggle/shared/cloud"
)

// TestWhatFollowsFromARunIsRunByTheSameVersion changes what Lambda says of the function, which is one for the process.
func TestWhatFollowsFromARunIsRunByTheSameVersion(t *testing.T) {
	name, version := lambdacontext.FunctionName, lambdacontext.FunctionVersion
	t.Cleanup(func() { lambdacontext.FunctionName, lambdacontext.FunctionVersion = name, version })
	lambdacontext.FunctionName, lambdacontext.FunctionVersion = "waggle-prod-run", "7"
	var path string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.String()
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	d := &Deployment{AWS: aws.Config{Region: "eu-west-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}}
	if err := d.Runner().Functions.Run(t.Context(), "", cloud.RunCall{Run: "r"}); err != nil || path != "/2015-03-31/functions/waggle-prod-run/invocations?Qualifier=7" {
		t.Errorf("%s, %v", path, err)
	}
}
