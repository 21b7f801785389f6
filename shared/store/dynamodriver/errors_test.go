package dynamodriver_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/google/go-cmp/cmp"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
	"waggle/shared/store/dynamodriver"
)

func TestErrorsOfDynamoDBBecomeFaultsWithTheNextStep(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status        int
		code, message string
		want          fault.Code
		words         []string
	}{
		{400, "ResourceNotFoundException", "Requested resource not found", fault.NotFound, []string{"there is no table runs in http://127.0.0.1", "region"}},
		{400, "AccessDeniedException", "User: x is not authorized to perform: dynamodb:GetItem", fault.Denied, []string{"dynamodb:GetItem", "right to table runs"}},
		{400, "UnrecognizedClientException", "The security token included in the request is invalid.", fault.Denied, []string{"does not know these credentials", "AWS_PROFILE"}},
		{400, "ExpiredTokenException", "The security token included in the request is expired", fault.Denied, []string{"log in again"}},
		{400, "InvalidSignatureException", "Signature expired: 20261122T100000Z is now earlier than", fault.Denied, []string{"clock"}},
		{400, "MissingAuthenticationToken", "", fault.Denied, []string{"AWS_ACCESS_KEY_ID"}},
		{400, "ValidationException", "Item size has exceeded the maximum allowed size", fault.TooLarge, nil},
		{400, "ItemCollectionSizeLimitExceededException", "", fault.TooLarge, nil},
		{413, "RequestEntityTooLarge", "", fault.TooLarge, nil},
		{400, "ValidationException", "The table does not have the specified index: due", fault.Incompatible, []string{"deploy"}},
		{400, "ValidationException", "One or more parameter values were invalid: something", fault.Internal, []string{"bug"}},
		{404, "UnknownOperationException", "", fault.Internal, []string{"is not DynamoDB"}},
		{400, "KMSAccessDeniedException", "", fault.Denied, []string{"encryption key"}},
	} {
		t.Run(c.code, func(t *testing.T) {
			t.Parallel()
			_, d := setup(t, nil, failing(c.status, c.code, c.message))
			_, err := d.Get(t.Context(), meta)
			wantCode(t, err, c.want, append(c.words, "get RUN#1/META: "+c.code)...)
		})
	}
}

func TestWhereNobodyListensTheStoreIsUnavailable(t *testing.T) {
	t.Parallel()
	d, err := dynamodriver.Open(t.Context(), "runs", &dynamodriver.Options{Indexes: indexes, SkipCheck: true, Timeout: 400 * time.Millisecond,
		Config: connection("http://127.0.0.1:1")}) // no port that another test may get
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Get(t.Context(), meta)
	wantCode(t, err, fault.Unavailable, "connection refused", "AWS_ENDPOINT_URL")
}

func TestMissingSettingsAreNamed(t *testing.T) {
	t.Parallel()
	nobody := connection("http://127.0.0.1:1")
	nobody.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("no role found")
	})
	nowhere := connection("http://127.0.0.1:1")
	nowhere.Region = ""
	anonymous := connection("http://127.0.0.1:1")
	anonymous.Credentials = nil
	for _, c := range []struct {
		name  string
		table string
		opts  *dynamodriver.Options
		code  fault.Code
		words string
	}{
		{"no credentials", "runs", &dynamodriver.Options{Indexes: indexes, Config: nobody}, fault.Denied, "look for AWS credentials: no role found (set AWS_PROFILE"},
		{"anonymous", "runs", &dynamodriver.Options{Indexes: indexes, Config: anonymous}, fault.Denied, "set AWS_PROFILE"},
		{"no region", "runs", &dynamodriver.Options{Indexes: indexes, Config: nowhere}, fault.Invalid, "set AWS_REGION"},
		{"no table", "", &dynamodriver.Options{Indexes: indexes, Config: nobody}, fault.Invalid, "name of a DynamoDB table"},
		{"a bad table", "a b", &dynamodriver.Options{Indexes: indexes, Config: nobody}, fault.Invalid, "name of a DynamoDB table"},
		{"no options", "runs", nil, fault.Invalid, "0 indexes"},
		{"seven indexes", "runs", &dynamodriver.Options{Indexes: []string{"aaa", "bbb", "ccc", "ddd", "eee", "fff", "ggg"}}, fault.Invalid, "7 indexes"},
		{"an index twice", "runs", &dynamodriver.Options{Indexes: []string{"due", "due"}}, fault.Invalid, `"due"`},
		{"a short index", "runs", &dynamodriver.Options{Indexes: []string{"du"}}, fault.Invalid, `"du"`},
	} {
		_, err := dynamodriver.Open(t.Context(), c.table, c.opts)
		if fault.CodeOf(err) != c.code {
			t.Fatalf("%s: %v", c.name, err)
		}
		wantCode(t, err, c.code, c.words)
	}
}

func TestUnitsAndRequestsAreCounted(t *testing.T) {
	t.Parallel()
	_, d := setup(t, nil,
		ok(`{"ConsumedCapacity":{"CapacityUnits":3,"GlobalSecondaryIndexes":{"due":{"CapacityUnits":1}}}}`),
		throttled, ok(`{"Item":%s,"ConsumedCapacity":{"CapacityUnits":0.5}}`, mine),
		ok(`{"ConsumedCapacity":{"CapacityUnits":1}}`),
		ok(`{"Items":[],"ConsumedCapacity":{"CapacityUnits":12.5}}`),
		ok(`{"ConsumedCapacity":[{"CapacityUnits":25}]}`),
		ok(`{"ConsumedCapacity":[{"CapacityUnits":6,"WriteCapacityUnits":6,"GlobalSecondaryIndexes":{"due":{"CapacityUnits":2,"WriteCapacityUnits":2}}}]}`),
		dropped, ok(`{"ConsumedCapacity":[{"CapacityUnits":2,"ReadCapacityUnits":2}]}`))
	errPut := d.Put(t.Context(), row(1), driver.Any)
	_, errGet := d.Get(t.Context(), meta)
	errDelete := d.Delete(t.Context(), meta, driver.Any)
	_, errQuery := d.Query(t.Context(), driver.Query{Partition: "p"})
	err := errors.Join(errPut, errGet, errDelete, errQuery, d.PutAll(t.Context(), rows(25, 0)), d.Write(t.Context(), ops()), d.Write(t.Context(), ops()))
	if err != nil {
		t.Fatal(err)
	}
	want := dynamodriver.Usage{Requests: 9, WriteUnits: 35, ReadUnits: 15, IndexWriteUnits: map[string]float64{"due": 3}}
	if diff := cmp.Diff(want, d.Usage()); diff != "" {
		t.Fatal(diff)
	}
}
