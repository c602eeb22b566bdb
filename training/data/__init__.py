"""From channels of files to arrays: reading, column names, ids, weights. pandas ends in this folder."""
