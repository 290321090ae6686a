"""The Claude side: endpoints, the warm client, its hooks and options. The only package that imports the SDK."""
