package adserver

// The sales agent's own simulated ad server.
var mock = &Type{
	Name: "mock", Title: "Mock ad server",
	Fields: []Field{{Name: "dryRun", Form: Flag, Use: Taken, Default: "false"}},
}
