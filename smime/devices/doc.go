// Package devices brings keys to the devices of their owners: as imported PFX
// certificates of Intune and as configuration profiles of Apple.
//
// A person who has several devices needs every key that mail was ever encrypted
// to on each of them, the expired ones included: old mail stays unreadable
// without them. Keys for signing may differ from device to device and usually
// come by SCEP or PKCS profiles, without this package.
//
// In five minutes: [ParseConnectorKey] reads the public key of the certificate
// connector and [UserPFXCertificates] makes, of all identities of a user, the
// resources to post to Microsoft Graph. A [Profile] is written by
// [Profile.Marshal] and signed by [SignProfile].
//
// The results hold private keys, protected by passwords that this package
// generates. Its errors hold neither.
package devices
