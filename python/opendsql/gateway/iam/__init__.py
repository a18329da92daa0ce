"""IAM at the gateway: tokens, access keys, policies, and who may log in as whom.

    token          the text a client sends as its password: parse, sign, verify (SigV4)
    credentials    access keys in AWS's credentials-file format, each with the principal it belongs to
    policy         IAM's own JSON: may this principal do dsql:DbConnect[Admin] on this cluster
    files          both files of a server: made when absent, read again when they change
    authenticator  the login decision, and the mapping that is looked at again at every transaction
"""

from opendsql.gateway.iam.authenticator import Authenticator, trust
from opendsql.gateway.iam.files import IamFiles, default_credentials, default_policy, prepare

__all__ = ["Authenticator", "IamFiles", "default_credentials", "default_policy", "prepare", "trust"]
