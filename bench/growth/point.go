package growth

// Rates are what a fleet of replicas does, in a second.
type Rates struct {
	Calls               float64 `json:"calls"`      // of the sales agent
	RedisOps            float64 `json:"redisOps"`   // scripts and messages
	RedisBytes          float64 `json:"redisBytes"` // both ways
	RowWrites           float64 `json:"rowWrites"`  // rows that are written in the database
	RedisConnections    float64 `json:"redisConnections"`
	DatabaseConnections float64 `json:"databaseConnections"`
}

// Point is something that was measured: bench's part growth writes them.
type Point struct {
	Replicas    int     `json:"replicas"`
	Sources     int     `json:"sources"`
	Reads       float64 `json:"reads"` // a second, of all sources at all replicas
	Zipf        float64 `json:"zipf"`
	CallSeconds float64 `json:"callSeconds"`
	Redis       bool    `json:"redis"`
	Measured    Rates   `json:"measured"`
}
