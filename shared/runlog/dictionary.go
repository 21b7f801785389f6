package runlog

// dictionaryID names the dictionary in every chunk. A changed dictionary needs a new id, and the old
// one stays here for the chunks that were written with it.
const dictionaryID = 0x5741_0001

// dictionary is text that the first events of a chunk are likely to repeat, most likely last. With it a
// chunk of a few events is as small a share of the log as one of hundreds.
var dictionary = []byte(`{"t":0,"type":"OWNER","message":"taken by","data":{"epoch":1,"worker":"","died":true}}
{"t":1,"type":"RUN_START","data":{"plan":"","steps":1,"code_version":""}}
{"t":1,"type":"RUN_FAILURE","level":"ERROR","message":"","data":{"reason":"STEP_FAILURE","error":""}}
{"t":1,"type":"STEP_SKIPPED","step":"","data":{"reason":"upstream_failed","step":""}}
{"t":1,"type":"STEP_UP_FOR_RETRY","level":"WARNING","step":"","attempt":1,"message":"","data":{"duration_ms":0.1,"error":{"kind":"error","message":""},"retry_at":"202"}}
{"t":1,"type":"STEP_FAILURE","level":"ERROR","step":"","attempt":1,"message":"","data":{"duration_ms":0.1,"error":{"kind":"error","message":""}}}
{"t":1,"type":"ASSET_CHECK_EVALUATION","level":"WARNING","step":":check_","attempt":1,"data":{"status":"FAILED","passed":false,"blocking":true,"severity":"ERROR","description":"","metadata":{}}}
{"t":1,"type":"ASSET_CHECK_EVALUATION","step":":check_","attempt":1,"data":{"status":"SUCCEEDED","passed":true,"severity":"WARN","metadata":{"":{"type":"int","value":0}}}}
{"t":1,"type":"ASSET_MATERIALIZATION","step":"","attempt":1,"data":{"duration_ms":0.1,"metadata":{"columns":{"type":"json","value":[""]},"preview":{"type":"markdown","value":"|"},"schema":{"type":"table_schema","value":{"columns":[{"name":"","type":"int64","nullable":false}]}},"source":{"type":"path","value":""},"processing_time_ms":{"type":"float","value":0.1},"record_count":{"type":"int","value":1}},"value":{"codec":"parquet","blob":"","size":1},"blocking":[]}}
{"t":1,"type":"LOG","level":"DEBUG","step":"","attempt":1,"message":""}
{"t":1,"type":"STEP_START","step":"","attempt":1}
{"t":1,"type":"LOG","step":"","attempt":1,"message":"Completed ","data":{"attrs":{"":1}}}
{"t":1,"type":"ASSET_MATERIALIZATION","step":"","attempt":1,"data":{"duration_ms":0.01,"metadata":{"":{"type":"int","value":1},"":{"type":"float","value":0.1},"":{"type":"text","value":""}},"value":{"codec":"json","json":1,"size":1}}}
{"t":1,"type":"STEP_SUCCESS","step":"","attempt":1,"data":{"duration_ms":0.01}}
`)
