package adserver

// The sales agent's own simulated ad server.
func init() {
	describe(&Type{
		Order: 6, Name: "mock", Title: "Mock ad server",
		Fields: []Field{{Name: "dryRun", Form: Flag, Use: Taken, Default: "false"}},
		View:   typeAlone,
	})
}
