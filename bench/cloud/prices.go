package main

// Prices of AWS in one region on demand, in dollars, without what is free for a time or up to an amount.
const (
	region = "us-east-1"
	priced = "2026-11" // when AWS's pages said so

	writeUnit     = 0.625e-6 // of DynamoDB
	readUnit      = 0.125e-6 // of DynamoDB
	rowsGB        = 0.25     // in DynamoDB, a month
	backupGB      = 0.20     // of a table that can be recovered to a point in time, a month
	objectPut     = 5e-6     // into S3
	objectsGB     = 0.023    // in S3, a month
	eventPut      = 1e-6     // of EventBridge, up to 64 KB; events have less than 4
	queueRequest  = 0.40e-6  // of SQS, up to 64 KB
	lambdaRequest = 0.20e-6
	lambdaGBs     = 0.0000133334 // of a function's memory for a second, arm64
	scheduled     = 1e-6         // an invocation by EventBridge Scheduler
	mailSent      = 0.10e-3      // by SES, to one recipient
	attachedGB    = 0.12         // of mails' attachments
	logsGB        = 0.50         // written to CloudWatch's logs
	metricMonth   = 0.30         // a metric that is written in every hour; the first ten of an account are free
	alarmMonth    = 0.10         // the first ten of an account are free
	boardMonth    = 3.00         // a dashboard; the first three of an account are free
	freeAlarms    = 10
	freeBoards    = 3
	minutesAMonth = 60 * 24 * 30
)
