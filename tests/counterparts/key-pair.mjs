// A new private key, as PEM: Node.js 20 hangs now and then if a key is exported while what generated it is collected, and a
// key that was read from PEM has nothing of that.
import { generateKeyPairSync } from 'node:crypto'

const KINDS = { rsa: ['rsa', { modulusLength: 2048 }], ec: ['ec', { namedCurve: 'P-256' }], okp: ['ed25519', {}] }

export function privateKeyPem(kind) {
  const [type, options] = KINDS[kind]
  const publicKeyEncoding = { type: 'spki', format: 'pem' }
  const privateKeyEncoding = { type: 'pkcs8', format: 'pem' }
  return generateKeyPairSync(type, { ...options, publicKeyEncoding, privateKeyEncoding }).privateKey
}
