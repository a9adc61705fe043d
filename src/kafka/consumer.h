#pragma once
// Written together with the ingest loop.
