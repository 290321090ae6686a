BEGIN TRANSACTION;
CREATE TABLE budget_holds (
	id TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	simulated BOOLEAN NOT NULL, 
	amount BIGINT NOT NULL, 
	charged BIGINT NOT NULL, 
	expires_at FLOAT NOT NULL, 
	host TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	started TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE budget_limits (
	scope TEXT NOT NULL, 
	simulated BOOLEAN NOT NULL, 
	amount BIGINT, 
	PRIMARY KEY (scope, simulated)
);
INSERT INTO "budget_limits" VALUES('day',0,2500000000);
CREATE TABLE ledger (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at FLOAT NOT NULL, 
	run_id TEXT NOT NULL, 
	session_id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	description TEXT NOT NULL, 
	model TEXT NOT NULL, 
	endpoint TEXT NOT NULL, 
	simulated BOOLEAN NOT NULL, 
	input_tokens BIGINT NOT NULL, 
	output_tokens BIGINT NOT NULL, 
	cache_read_tokens BIGINT NOT NULL, 
	cache_write_tokens BIGINT NOT NULL, 
	cost BIGINT, 
	saved BIGINT NOT NULL
);
INSERT INTO "ledger" VALUES(1,1763971200.0,'r1','s1','model_call','Learn: plot the penguins','claude-sonnet-4-5','claude',0,5210,811,0,0,27800000,0);
INSERT INTO "ledger" VALUES(2,1763971200.0,'r1','s1','adjustment','Learn: plot the penguins','','',0,0,0,0,0,2200000,0);
INSERT INTO "ledger" VALUES(3,1763971200.0,'r2','s1','deduct','Größe: “x”','','',0,0,0,0,0,250000000,0);
INSERT INTO "ledger" VALUES(4,1763971200.0,'r3','s1','saving','replayed','','',0,0,0,0,0,0,30000000);
CREATE TABLE trace_uses (
	trace_id TEXT NOT NULL, 
	uses INTEGER NOT NULL, 
	successes INTEGER NOT NULL, 
	failures INTEGER NOT NULL, 
	last_used_at TEXT NOT NULL, 
	PRIMARY KEY (trace_id)
);
INSERT INTO "trace_uses" VALUES('20251124-080000-create-0001',2,1,1,'2025-11-24T08:00:01Z');
CREATE TABLE traces (
	root TEXT NOT NULL, 
	path TEXT NOT NULL, 
	id TEXT NOT NULL, 
	mtime_ns BIGINT NOT NULL, 
	size BIGINT NOT NULL, 
	digest TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	status TEXT NOT NULL, 
	replayable BOOLEAN NOT NULL, 
	mode TEXT NOT NULL, 
	agent TEXT NOT NULL, 
	model TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	cost_usd FLOAT, 
	duration_s FLOAT NOT NULL, 
	goal TEXT NOT NULL, 
	problem TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	PRIMARY KEY (root, path)
);
INSERT INTO "traces" VALUES('/w/traces','2025-11/20251124-080000-create-0001.md','20251124-080000-create-0001',1795414458466695861,270,'7b8daf555930c3fa289e61a588e5a3678034b2d0c96d39927afbda1b41585b91','64fdb3d429d7a562047f3e386614f7b6','success',1,'learner','','','2025-11-24T08:00:00Z',0.0,0.0,'Create a 3-qubit state','','{"goal": "Create a 3-qubit state", "steps": [{"tool": "run_cell", "arguments": {"code": "n = 3"}}], "id": "20251124-080000-create-0001", "created_at": "2025-11-24T08:00:00Z"}');
CREATE INDEX ledger_by_session ON ledger (simulated, session_id, cost);
CREATE INDEX ledger_by_time ON ledger (simulated, at, cost);
CREATE INDEX ledger_by_run ON ledger (simulated, run_id, cost);
CREATE INDEX traces_id ON traces (root, id);
CREATE INDEX traces_seen ON traces (root, path, mtime_ns, size);
CREATE INDEX traces_key ON traces (root, "key");
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('ledger',4);
COMMIT;
