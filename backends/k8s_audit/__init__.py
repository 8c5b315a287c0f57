"""The backend that reads audit events of Kubernetes: from files, or as the API server posts them."""
