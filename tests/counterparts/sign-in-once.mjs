// Signs in at the URL that is given, and says with what the browser was sent back.
import { signedIn } from './sign-in.mjs'

console.log(JSON.stringify(Object.fromEntries(await signedIn(new URL(process.argv[2])))))
