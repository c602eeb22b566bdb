"""The innermost loops of one request, in C, for where they are compiled; everything here also exists in numpy, to the same bits."""
