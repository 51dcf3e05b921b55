import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { exportJWK, generateKeyPair, SignJWT } from "jose";

/** Stands for the identity provider: signs tokens with a key that lives only as long as this process. */
export interface Issuer {
  readonly issuer: string;
  readonly audience: string;
  /** Where the engine finds the public key. */
  readonly jwksUrl: string;
  /** A token that may do all of `scopes` on `cases`; it expires after `lifetime`. */
  token(grant: TokenGrant): Promise<string>;
}

export interface TokenGrant {
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly cases: readonly number[] | "*";
  /** For example "12h"; as `jose` reads time spans. */
  readonly lifetime?: string;
}

export async function createIssuer(directory: string): Promise<Issuer> {
  const issuer = "https://identity.example";
  const audience = "documentexchanger";
  const { privateKey, publicKey } = await generateKeyPair("EdDSA");
  const file = join(directory, "jwks.json");
  await writeFile(file, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "local", alg: "EdDSA" }] }));
  return {
    issuer,
    audience,
    jwksUrl: pathToFileURL(file).href,
    token: ({ subject, scopes, cases, lifetime = "12h" }) =>
      new SignJWT({ scope: scopes.join(" "), cases })
        .setProtectedHeader({ alg: "EdDSA", kid: "local" })
        .setSubject(subject)
        .setIssuer(issuer)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(lifetime)
        .sign(privateKey),
  };
}
