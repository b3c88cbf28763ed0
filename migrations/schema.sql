-- 0003
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE audit_events (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	actor VARCHAR(200) NOT NULL, 
	action VARCHAR(100) NOT NULL, 
	target VARCHAR(300), 
	spoke VARCHAR(100), 
	environment VARCHAR(40), 
	operation_id VARCHAR(36), 
	detail JSON, 
	CONSTRAINT pk_audit_events PRIMARY KEY (id)
);
CREATE INDEX ix_audit_events_at ON audit_events (at);
CREATE TABLE operations (
	id VARCHAR(36) NOT NULL, 
	kind VARCHAR(60) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	actor VARCHAR(200) NOT NULL, 
	spoke VARCHAR(100), 
	environment VARCHAR(40), 
	queue_key VARCHAR(200) NOT NULL, 
	params JSON NOT NULL, 
	result JSON, 
	error JSON, 
	parent_id VARCHAR(36), 
	parent_step VARCHAR(100), 
	run INTEGER NOT NULL, 
	revision INTEGER NOT NULL, 
	log_count INTEGER NOT NULL, 
	sql_count INTEGER NOT NULL, 
	cancel_requested_by VARCHAR(200), 
	created_at DATETIME NOT NULL, 
	started_at DATETIME, 
	ended_at DATETIME, fingerprint VARCHAR(64), 
	CONSTRAINT pk_operations PRIMARY KEY (id), 
	CONSTRAINT fk_operations_parent_id FOREIGN KEY(parent_id) REFERENCES operations (id) ON DELETE CASCADE
);
CREATE INDEX ix_operations_created_at_id ON operations (created_at, id);
CREATE INDEX ix_operations_kind_state ON operations (kind, state);
CREATE INDEX ix_operations_parent_id ON operations (parent_id);
CREATE INDEX ix_operations_spoke_environment ON operations (spoke, environment);
CREATE TABLE spokes (
	name VARCHAR(100) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	owner VARCHAR(200) NOT NULL, 
	description TEXT, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_spokes PRIMARY KEY (name)
);
CREATE TABLE bundles (
	hash VARCHAR(64) NOT NULL, 
	spoke VARCHAR(100) NOT NULL, 
	size INTEGER NOT NULL, 
	manifest JSON NOT NULL, 
	stage_path VARCHAR(500), 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_bundles PRIMARY KEY (hash), 
	CONSTRAINT fk_bundles_spoke FOREIGN KEY(spoke) REFERENCES spokes (name) ON DELETE CASCADE
);
CREATE INDEX ix_bundles_spoke ON bundles (spoke);
CREATE TABLE idempotency_keys (
	actor VARCHAR(200) NOT NULL, 
	"key" VARCHAR(200) NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	operation_id VARCHAR(36) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_idempotency_keys PRIMARY KEY (actor, "key"), 
	CONSTRAINT fk_idempotency_keys_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE CASCADE
);
CREATE TABLE operation_log (
	operation_id VARCHAR(36) NOT NULL, 
	seq INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	run INTEGER NOT NULL, 
	step VARCHAR(100), 
	attempt INTEGER, 
	level VARCHAR(10) NOT NULL, 
	message TEXT NOT NULL, 
	CONSTRAINT pk_operation_log PRIMARY KEY (operation_id, seq), 
	CONSTRAINT fk_operation_log_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE CASCADE
);
CREATE TABLE operation_sql (
	operation_id VARCHAR(36) NOT NULL, 
	seq INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	step VARCHAR(100), 
	attempt INTEGER, 
	text TEXT NOT NULL, 
	query_id VARCHAR(60), 
	seconds FLOAT, 
	rows INTEGER, 
	error TEXT, 
	CONSTRAINT pk_operation_sql PRIMARY KEY (operation_id, seq), 
	CONSTRAINT fk_operation_sql_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE CASCADE
);
CREATE TABLE operation_steps (
	operation_id VARCHAR(36) NOT NULL, 
	position INTEGER NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	title VARCHAR(200) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	attempts INTEGER NOT NULL, 
	progress FLOAT, 
	message TEXT, 
	result JSON, 
	error JSON, 
	started_at DATETIME, 
	ended_at DATETIME, 
	CONSTRAINT pk_operation_steps PRIMARY KEY (operation_id, position), 
	CONSTRAINT fk_operation_steps_operation_id FOREIGN KEY(operation_id) REFERENCES operations (id) ON DELETE CASCADE, 
	CONSTRAINT uq_operation_steps_operation_id_name UNIQUE (operation_id, name)
);
CREATE TABLE spoke_environments (
	spoke VARCHAR(100) NOT NULL, 
	environment VARCHAR(40) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	bundle_hash VARCHAR(64), 
	config JSON, 
	onboarded_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_spoke_environments PRIMARY KEY (spoke, environment), 
	CONSTRAINT fk_spoke_environments_bundle_hash FOREIGN KEY(bundle_hash) REFERENCES bundles (hash), 
	CONSTRAINT fk_spoke_environments_spoke FOREIGN KEY(spoke) REFERENCES spokes (name) ON DELETE CASCADE
);
CREATE TABLE deployments (
	id VARCHAR(36) NOT NULL, 
	spoke VARCHAR(100) NOT NULL, 
	environment VARCHAR(40) NOT NULL, 
	part VARCHAR(40) NOT NULL, 
	bundle_hash VARCHAR(64) NOT NULL, 
	operation_id VARCHAR(36), 
	actor VARCHAR(200) NOT NULL, 
	objects JSON, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_deployments PRIMARY KEY (id), 
	CONSTRAINT fk_deployments_bundle_hash FOREIGN KEY(bundle_hash) REFERENCES bundles (hash), 
	CONSTRAINT fk_deployments_spoke_environment FOREIGN KEY(spoke, environment) REFERENCES spoke_environments (spoke, environment) ON DELETE CASCADE
);
CREATE INDEX ix_deployments_spoke_environment_part ON deployments (spoke, environment, part);
CREATE TRIGGER audit_events_no_UPDATE BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END;
CREATE TRIGGER audit_events_no_DELETE BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are append-only'); END;
CREATE UNIQUE INDEX uq_operations_open_fingerprint ON operations (fingerprint) WHERE parent_id IS NULL AND cancel_requested_by IS NULL AND state IN ('pending', 'running');
CREATE TABLE known_answers (
	part VARCHAR(300) NOT NULL, 
	"key" VARCHAR(64) NOT NULL, 
	statement TEXT NOT NULL, 
	answer TEXT NOT NULL, 
	as_of DATETIME NOT NULL, 
	CONSTRAINT pk_known_answers PRIMARY KEY (part, "key")
);
CREATE TABLE known_parts (
	part VARCHAR(300) NOT NULL, 
	as_of DATETIME, 
	tried_at DATETIME NOT NULL, 
	error TEXT, 
	CONSTRAINT pk_known_parts PRIMARY KEY (part)
);
CREATE TABLE leases (
	name VARCHAR(100) NOT NULL, 
	holder VARCHAR(200) NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_leases PRIMARY KEY (name)
);
CREATE TABLE saved_views (
	id VARCHAR(36) NOT NULL, 
	page VARCHAR(40) NOT NULL, 
	name VARCHAR(100) NOT NULL, 
	"query" TEXT NOT NULL, 
	created_by VARCHAR(200) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_saved_views PRIMARY KEY (id), 
	CONSTRAINT uq_saved_views_page_name UNIQUE (page, name)
);
CREATE TABLE failures (
	id VARCHAR(36) NOT NULL, 
	spoke VARCHAR(100) NOT NULL, 
	environment VARCHAR(40) NOT NULL, 
	graph VARCHAR(300) NOT NULL, 
	fingerprint VARCHAR(64) NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	owner VARCHAR(200), 
	note TEXT, 
	handled_to DATETIME, 
	reopened INTEGER NOT NULL, 
	detail JSON, 
	changed_by VARCHAR(200), 
	changed_at DATETIME NOT NULL, 
	CONSTRAINT pk_failures PRIMARY KEY (id), 
	CONSTRAINT uq_failures_spoke_environment_graph_fingerprint UNIQUE (spoke, environment, graph, fingerprint)
);
CREATE INDEX ix_failures_state ON failures (state);
CREATE TABLE budgets (
	spoke VARCHAR(100) NOT NULL, 
	environment VARCHAR(40) NOT NULL, 
	credits FLOAT NOT NULL, 
	warn_at FLOAT NOT NULL, 
	changed_by VARCHAR(200) NOT NULL, 
	changed_at DATETIME NOT NULL, 
	CONSTRAINT pk_budgets PRIMARY KEY (spoke, environment)
);
INSERT INTO alembic_version VALUES ('0003');
