"""The notebook's side: magics, live progress and displays. The only package that imports IPython."""
