"""Applies lifecycle and CORS rules to a bucket on Cloudflare R2, for CloudFormation."""
