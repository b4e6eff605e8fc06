import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Collection;
import java.util.List;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaAlgorithmParametersConverter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.cms.jcajce.ZlibCompressor;
import org.bouncycastle.cms.jcajce.ZlibExpanderProvider;

// Reads one command a line from standard input, words separated by blanks, and
// answers "ok" or "fail" and why. Files are named in the command.
public class Peer {
    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] w = line.split(" ");
            try {
                run(w);
                System.out.println("ok");
            } catch (Throwable e) {
                System.out.println("fail " + e.toString().replace('\n', ' '));
            }
            System.out.flush();
        }
    }

    static void run(String[] w) throws Exception {
        switch (w[0]) {
            case "sign": sign(w[1], w[2], w[3], w[4], w[5], w[6].equals("embedded")); break;
            case "verify": verify(w[1], w[2], w[3], w.length > 4 ? w[4] : null); break;
            case "encrypt": encrypt(w[1], w[2], w[3], w[4], w[5]); break;
            case "decrypt": decrypt(w[1], w[2], w[3], w[4]); break;
            case "compress": write(w[2], new CMSCompressedDataGenerator().generate(new CMSProcessableByteArray(read(w[1])), new ZlibCompressor()).getEncoded()); break;
            case "expand": write(w[2], new CMSCompressedData(read(w[1])).getContent(new ZlibExpanderProvider())); break;
            default: throw new Exception("unknown command");
        }
    }

    static byte[] read(String f) throws Exception { return Files.readAllBytes(Path.of(f)); }
    static void write(String f, byte[] b) throws Exception { Files.write(Path.of(f), b); }

    static X509Certificate cert(String f) throws Exception {
        return (X509Certificate) CertificateFactory.getInstance("X.509", "BC").generateCertificate(new ByteArrayInputStream(read(f)));
    }

    static PrivateKey key(String f, X509Certificate c) throws Exception {
        String alg = c.getPublicKey().getAlgorithm();
        if (alg.equals("EC") || alg.equals("ECDSA")) alg = "EC";
        return KeyFactory.getInstance(alg, "BC").generatePrivate(new PKCS8EncodedKeySpec(read(f)));
    }

    static void sign(String keyFile, String certFile, String alg, String in, String out, boolean embedded) throws Exception {
        X509Certificate c = cert(certFile);
        CMSSignedDataGenerator g = new CMSSignedDataGenerator();
        g.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build())
            .build(new JcaContentSignerBuilder(alg).setProvider("BC").build(key(keyFile, c)), c));
        g.addCertificates(new JcaCertStore(List.of(c)));
        write(out, g.generate(new CMSProcessableByteArray(read(in)), embedded).getEncoded());
    }

    static void verify(String certFile, String cms, String out, String detached) throws Exception {
        X509Certificate c = cert(certFile);
        CMSSignedData s = detached == null ? new CMSSignedData(read(cms))
            : new CMSSignedData(new CMSProcessableByteArray(read(detached)), read(cms));
        Collection<SignerInformation> signers = s.getSignerInfos().getSigners();
        if (signers.isEmpty()) throw new Exception("no signer");
        for (SignerInformation i : signers)
            if (!i.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(c))) throw new Exception("signature");
        if (detached == null) write(out, (byte[]) s.getSignedContent().getContent());
    }

    static void encrypt(String recipient, String certFile, String cipher, String in, String out) throws Exception {
        RecipientInfoGenerator r;
        X509Certificate c = certFile.equals("-") ? null : cert(certFile);
        switch (recipient) {
            case "rsa": r = new JceKeyTransRecipientInfoGenerator(c).setProvider("BC"); break;
            case "oaep": {
                OAEPParameterSpec p = new OAEPParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT);
                AlgorithmIdentifier id = new JcaAlgorithmParametersConverter().getAlgorithmIdentifier(PKCSObjectIdentifiers.id_RSAES_OAEP, p);
                r = new JceKeyTransRecipientInfoGenerator(c, id).setProvider("BC");
                break;
            }
            case "ecdh": {
                java.security.KeyPairGenerator g = java.security.KeyPairGenerator.getInstance("EC", "BC");
                g.initialize(((java.security.interfaces.ECPublicKey) c.getPublicKey()).getParams());
                java.security.KeyPair kp = g.generateKeyPair();
                r = new JceKeyAgreeRecipientInfoGenerator(CMSAlgorithm.ECDH_SHA256KDF, kp.getPrivate(), kp.getPublic(), CMSAlgorithm.AES256_WRAP)
                    .addRecipient(c).setProvider("BC");
                break;
            }
            case "password": r = new JcePasswordRecipientInfoGenerator(CMSAlgorithm.AES256_CBC, "correct horse".toCharArray()).setProvider("BC"); break;
            case "kek": r = new JceKEKRecipientInfoGenerator(new byte[] {1, 2, 3}, new javax.crypto.spec.SecretKeySpec(new byte[32], "AES")).setProvider("BC"); break;
            default: throw new Exception("unknown recipient");
        }
        ASN1ObjectIdentifier oid = new ASN1ObjectIdentifier(cipher);
        CMSTypedData data = new CMSProcessableByteArray(read(in));
        JceCMSContentEncryptorBuilder e = new JceCMSContentEncryptorBuilder(oid).setProvider("BC");
        if (authenticated(cipher)) {
            CMSAuthEnvelopedDataGenerator g = new CMSAuthEnvelopedDataGenerator();
            g.addRecipientInfoGenerator(r);
            write(out, g.generate(data, (org.bouncycastle.operator.OutputAEADEncryptor) e.build()).getEncoded());
            return;
        }
        CMSEnvelopedDataGenerator g = new CMSEnvelopedDataGenerator();
        g.addRecipientInfoGenerator(r);
        write(out, g.generate(data, e.build()).getEncoded());
    }

    static boolean authenticated(String oid) {
        return oid.endsWith(".1.6") || oid.endsWith(".1.26") || oid.endsWith(".1.46") || oid.endsWith(".1.7") || oid.endsWith(".1.47");
    }

    static void decrypt(String keyFile, String certFile, String in, String out) throws Exception {
        byte[] cms = read(in);
        boolean auth = new String(cms, 0, Math.min(cms.length, 40), "ISO-8859-1").contains(new String(new byte[] {(byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 0x0d, 1, 9, 0x10, 1, 0x17}, "ISO-8859-1"));
        RecipientInformationStore all = auth ? new CMSAuthEnvelopedData(cms).getRecipientInfos() : new CMSEnvelopedData(cms).getRecipientInfos();
        for (RecipientInformation i : all.getRecipients()) {
            Recipient r;
            if (auth && !(i instanceof KeyTransRecipientInformation)) throw new Exception("this version reads authenticated content with key transport alone");
            if (i instanceof KeyTransRecipientInformation) {
                PrivateKey k = key(keyFile, cert(certFile));
                r = auth ? new JceKeyTransAuthEnvelopedRecipient(k).setProvider("BC") : new JceKeyTransEnvelopedRecipient(k).setProvider("BC");
            } else if (i instanceof KeyAgreeRecipientInformation) {
                PrivateKey k = key(keyFile, cert(certFile));
                r = new JceKeyAgreeEnvelopedRecipient(k).setProvider("BC");
            } else if (i instanceof PasswordRecipientInformation) {
                r = new JcePasswordEnvelopedRecipient("correct horse".toCharArray()).setProvider("BC");
            } else {
                javax.crypto.SecretKey k = new javax.crypto.spec.SecretKeySpec(new byte[32], "AES");
                r = new JceKEKEnvelopedRecipient(k).setProvider("BC");
            }
            write(out, i.getContent(r));
            return;
        }
        throw new Exception("no recipient");
    }
}
