"""The platform's own objects: declared, compared with the account, applied."""
